import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoff, retryAfter, withJitter } from '../../../src/adapters/client/backoff.ts'

const many = Array.from({ length: 200 })

test('the pause doubles with each failure up to a second, and is never the same for two', () => {
  for (const [failures, longest] of [
    [1, 50],
    [2, 100],
    [4, 400],
    [6, 1_000],
    [500, 1_000],
  ] as const) {
    const pauses = many.map(() => backoff(failures))
    for (const ms of pauses) assert.ok(ms >= longest / 2 && ms <= longest, `${ms} of ${longest} ms`)
    assert.ok(new Set(pauses).size > 100)
  }
})

test('who is told when to come back comes no sooner, and up to a quarter later', () => {
  for (const ms of many.map(() => withJitter(2_000))) assert.ok(ms >= 2_000 && ms <= 2_500)
})

test('Retry-After is read as seconds and as a date', () => {
  assert.equal(retryAfter('3'), 3_000)
  assert.equal(retryAfter('0'), 0)
  const inTenSeconds = retryAfter(new Date(Date.now() + 10_000).toUTCString())
  assert.ok(inTenSeconds !== undefined && inTenSeconds > 8_000 && inTenSeconds <= 10_000)
  assert.equal(retryAfter(new Date(0).toUTCString()), 0)
  for (const wrong of [undefined, '', 'soon', ['1', '2']]) assert.equal(retryAfter(wrong), undefined)
})
