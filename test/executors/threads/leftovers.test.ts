import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { CallError, type Runner } from '../../../src/index.ts'
import { commonRunner, endOf, within, type Functions } from '../../fixtures/threads/harness.ts'
import { awaitLatch, createLatch } from '../../fixtures/threads/latch.ts'

// What a call leaves behind in its thread can hold the thread up when the call has long ended.

const HUNG = 'the call does not end'

test('calls run although something that a call left behind holds the only thread for ever', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let round = 0; round < 2; round++) {
    await holdUp(runner)
    const calls = Array.from({ length: 3 }, (_, i) => runner.call('add', [i, 1]))
    deepEqual(await within(20_000, Promise.all(calls), HUNG), [1, 2, 3])
  }
})

test('a call that was moved to a thread which is held up for ever ends as not begun', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  await holdUp(runner)
  const buffer = new ArrayBuffer(8)
  const end = await within(20_000, endOf(runner.call('byteLength', [buffer], { transfer: [buffer] })), HUNG)
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.started], ['WORKER_CRASHED', 'no'])
})

test('a runner closes although something that a call left behind holds its thread', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  await holdUp(runner)
  const call = runner.call('add', [1, 2])
  await within(20_000, runner.close(), 'the runner does not close')
  equal(await call, 3)
})

/** Leaves something in the only thread of a runner that never gives it back. */
async function holdUp(runner: Runner<Functions>): Promise<void> {
  const started = createLatch()
  await runner.call('spinAfterwards', [started])
  await awaitLatch(started)
}
