import { ok } from 'node:assert/strict'
import { test } from 'node:test'
import { processorTime } from '../../bench/harness/processor-time.ts'
import { block } from '../fixtures/threads/latch.ts'

test('time for which a thread is blocked is no processor time', async () => {
  const used = await processorTime(async () => block(300))
  ok(used < 150, `${used} ms`)
})

test('processor time is in milliseconds', async () => {
  const used = await processorTime(async () => {
    // Until the kernel says so: on a machine that is busy the clock on the wall is far ahead.
    for (const before = process.cpuUsage(); process.cpuUsage(before).user < 50_000;);
  })
  ok(used >= 50 && used < 5_000, `${used} ms`)
})
