import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { listAmong } from '../../../src/adapters/http/own-calls.ts'
import type { CallInfo, ListOptions, Runner } from '../../../src/index.ts'

/** A runner elsewhere, with as many calls as that. */
function elsewhere(count: number): { runner: Runner; asked: ListOptions[] } {
  const asked: ListOptions[] = []
  const list: Runner['list'] = async (options = {}) => {
    asked.push(options)
    const { limit = 100, cursor = '0' } = options
    const end = Math.min(Number(cursor) + limit, count)
    const calls = Array.from(
      { length: end - Number(cursor) },
      (_, i) => ({ id: String(Number(cursor) + i) }) as CallInfo,
    )
    return end === count ? { calls } : { calls, cursor: String(end) }
  }
  return { runner: { list } as Runner, asked }
}

test('pages of a runner elsewhere are looked through until there is a page of those', async () => {
  const { runner, asked } = elsewhere(30)
  const first = await listAmong(runner, { limit: 3, fn: 'add' }, (id) => Number(id) % 2 === 0)
  deepEqual([first.calls.map(({ id }) => id), first.cursor], [['0', '2', '4'], '5'])
  deepEqual(asked, [
    { fn: 'add', limit: 3 },
    { fn: 'add', limit: 1, cursor: '3' },
    { fn: 'add', limit: 1, cursor: '4' },
  ])
  const last = await listAmong(runner, { cursor: '27' }, () => true)
  deepEqual([last.calls.length, last.cursor], [3, undefined])
})

test('a page is short rather than that a runner elsewhere is asked without end', async () => {
  const { runner, asked } = elsewhere(1_000)
  const page = await listAmong(runner, { limit: 5 }, () => false)
  deepEqual([page, asked.length], [{ calls: [], cursor: '100' }, 20])
})
