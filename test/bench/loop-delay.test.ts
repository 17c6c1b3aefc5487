import { ok, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loopDelay } from '../../bench/harness/loop-delay.ts'
import { block } from '../fixtures/threads/latch.ts'

test('an event loop that is blocked once is late once, by as long', async () => {
  const { p50, most, mostOfItsOwn } = await loopDelay(async () => {
    await sleep(20)
    block(200)
    await sleep(20)
  })
  ok(most >= 190, `${most} ms`)
  // Whoever sleeps waits for no processor, but to wake.
  ok(mostOfItsOwn >= 100 && mostOfItsOwn <= most, `${mostOfItsOwn} of ${most} ms`)
  ok(p50 < 100, `${p50} ms`)
})

test('work without a turn of the event loop has no figures', async () => {
  await rejects(
    loopDelay(async () => {}),
    /did not turn/,
  )
})
