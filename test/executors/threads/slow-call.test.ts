import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { awaitLatch, createLatch, openLatch } from '../../fixtures/threads/latch.ts'
import { commonRunner, within } from '../../fixtures/threads/harness.ts'

const HELD_UP = 'calls are held up by a slow one'

test('a slow call holds up none of 10,000 that were sent behind it', async (t) => {
  const runner = commonRunner(t, { threads: { min: 2, max: 2 } })
  await runner.ready()
  for (let i = 0; i < 200; i++) await runner.call('holdIf', [])

  const [started, release] = [createLatch(), createLatch()]
  const slow = runner.call('holdIf', [started, release])
  const small = Array.from({ length: 9_999 }, () => runner.call('holdIf', []))
  await awaitLatch(started)
  equal((await within(15_000, Promise.all(small), HELD_UP)).length, 9_999)
  openLatch(release)
  await slow
})

test('a slow call holds up none of those that returned before it began', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 200; i++) await runner.call('holdIf', [])

  const [started, release] = [createLatch(), createLatch()]
  const before = Array.from({ length: 10 }, () => runner.call('holdIf', []))
  const slow = runner.call('holdIf', [started, release])
  await awaitLatch(started)
  try {
    equal((await within(3_000, Promise.all(before), HELD_UP)).length, 10)
  } finally {
    openLatch(release)
  }
  await slow
})

test('slow calls here and there do not show in the p99 of 10,000 small ones', async (t) => {
  const runner = commonRunner(t, { threads: { min: 2, max: 2 } })
  await runner.ready()
  for (let i = 0; i < 200; i++) await runner.call('blockFor', [0])

  const SLOW = 2_000
  const times: number[] = []
  let slow: Promise<number> | undefined
  for (let wave = 0; wave < 100; wave++) {
    if (wave === 20) slow = runner.call('blockFor', [SLOW])
    const begun = performance.now()
    const calls = Array.from({ length: 100 }, async () => {
      await runner.call('blockFor', [0])
      times.push(performance.now() - begun)
    })
    await within(15_000, Promise.all(calls), HELD_UP)
  }
  await slow
  const p99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Infinity
  ok(p99 < SLOW / 4, `p99 is ${p99} ms`)
})

test('calls of a function that has not run before are not sent behind one another', async (t) => {
  const runner = commonRunner(t, { threads: { min: 2, max: 2 } })
  await runner.ready()
  const [started, release] = [createLatch(), createLatch()]
  const first = runner.call('holdIf', [started, release])
  await awaitLatch(started)
  const others = Array.from({ length: 20 }, () => runner.call('holdIf', []))
  const threads = await within(5_000, Promise.all(others), HELD_UP)
  equal(new Set(threads).size, 1)
  openLatch(release)
  ok(!threads.includes(await first))
})

test('calls are not sent to a thread that is held up by what a call left behind in it', async (t) => {
  const runner = commonRunner(t, { threads: { min: 2, max: 2 } })
  await runner.ready()
  for (let i = 0; i < 50; i++) await Promise.all([runner.call('add', [i, 1]), runner.call('add', [i, 2])])

  const [blocked, release] = [createLatch(), createLatch()]
  await runner.call('holdAfterwards', [blocked, release])
  await awaitLatch(blocked)
  const calls = Array.from({ length: 20 }, (_, i) => runner.call('add', [i, 1]))
  deepEqual(
    await within(5_000, Promise.all(calls), HELD_UP),
    calls.map((_, i) => i + 1),
  )
  openLatch(release)
})

test('a cancelled call that had not begun makes room for those that wait behind it', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  await runner.ready()
  const [blocked, release] = [createLatch(), createLatch()]
  await runner.call('holdAfterwards', [blocked, release])
  await awaitLatch(blocked)
  const first = await runner.start('noop', [], { timeout: 0 })
  ok(!first.finished)
  const second = runner.call('add', [1, 2])
  // Long enough to be found stalled.
  await new Promise((resolve) => setTimeout(resolve, 60))
  const cancelled = await runner.cancel(first.id)
  ok(cancelled.finished && !cancelled.ok)
  openLatch(release)
  equal(await within(5_000, second, HELD_UP), 3)
})

test('of two calls that run on two threads neither waits for the other', async (t) => {
  const runner = commonRunner(t, { threads: { min: 2, max: 2 } })
  await runner.ready()
  const [a, b] = [createLatch(), createLatch()]
  // Each waits until the other has begun.
  const both = Promise.all([runner.call('hold', [a, b]), runner.call('hold', [b, a])])
  equal(new Set(await within(5_000, both, HELD_UP)).size, 2)
})
