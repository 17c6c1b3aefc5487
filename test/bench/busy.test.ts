import { equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { busyShare, busyShareOf } from '../../bench/harness/busy.ts'

function processor(
  user: number,
  idle: number,
): { times: { user: number; nice: number; sys: number; irq: number; idle: number } } {
  return { times: { user, nice: 0, sys: 0, irq: 0, idle } }
}

test('what is not idle is used, of all processors together', () => {
  equal(busyShareOf([processor(100, 900), processor(0, 0)], [processor(150, 950), processor(0, 100)]), 0.25)
})

test('of a time in which nothing was counted, nothing was used', () => {
  equal(busyShareOf([processor(1, 1)], [processor(1, 1)]), 0)
})

test('the processors of this machine are used from not at all to wholly', async () => {
  const share = await busyShare()
  ok(share >= 0 && share <= 1, String(share))
})
