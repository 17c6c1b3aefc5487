import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSpan, writeSpan } from '../../../src/adapters/wire/spans.ts'

test('a span that has no end travels through JSON', () => {
  assert.equal(readSpan(JSON.parse(JSON.stringify(writeSpan(Infinity)))), Infinity)
})

test('any other span is what it was', () => {
  for (const ms of [0, 0.5, 1, 2 ** 31, Number.MAX_SAFE_INTEGER, 1e300]) {
    assert.equal(readSpan(JSON.parse(JSON.stringify(writeSpan(ms)))), ms)
  }
})
