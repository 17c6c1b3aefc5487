import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EventStreamParser } from '../../../src/adapters/client/server-sent-events.ts'

const TEXT =
  ': here\n\nid: 1\nevent: queued\ndata: {"a":1}\n\ndata: one\r\ndata: two\r\n\r\nid\ndata:x\n\nevent: none\n\ndata: \u{1F9E5}\n\n'

const EVENTS = [
  { name: 'queued', data: '{"a":1}', lastId: '1' },
  { name: 'message', data: 'one\ntwo', lastId: '1' },
  { name: 'message', data: 'x', lastId: '' },
  { name: 'message', data: '\u{1F9E5}', lastId: '' },
]

test('events are read whatever the parts in which they come', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(TEXT.length)), (cuts) => {
      const parser = new EventStreamParser()
      const ends = [...cuts.toSorted((a, b) => a - b), TEXT.length]
      const seen = ends.flatMap((end, i) => parser.push(TEXT.slice(ends[i - 1] ?? 0, end)))
      assert.deepEqual(seen, EVENTS)
    }),
  )
})

test('what is not complete is no event', () => {
  assert.deepEqual(new EventStreamParser().push('data: half\n'), [])
})
