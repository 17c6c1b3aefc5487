import { deepEqual, equal, ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { LONGEST_DELAY, monotonicNow, systemClock } from '../../src/model/clock.ts'

/** Node's timers, moved by hand. */
function mockTimers(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return (ms) => t.mock.timers.tick(ms)
}

test('a timer fires once, at its time', (t) => {
  const tick = mockTimers(t)
  const fired = t.mock.fn()
  systemClock.setTimeout(fired, 100)
  tick(99)
  equal(fired.mock.callCount(), 0)
  tick(1)
  equal(fired.mock.callCount(), 1)
  tick(10_000)
  equal(fired.mock.callCount(), 1)
})

test("a delay above Node's longest is waited for in parts", (t) => {
  const tick = mockTimers(t)
  const fired = t.mock.fn()
  const delays = watchDelays(t)
  systemClock.setTimeout(fired, 2 * LONGEST_DELAY + 1_000)
  tick(LONGEST_DELAY)
  tick(LONGEST_DELAY)
  equal(fired.mock.callCount(), 0)
  tick(999)
  equal(fired.mock.callCount(), 0)
  tick(1)
  equal(fired.mock.callCount(), 1)
  deepEqual(delays, [LONGEST_DELAY, LONGEST_DELAY, 1_000])
})

test("Node's longest delay needs one timer", (t) => {
  const tick = mockTimers(t)
  const fired = t.mock.fn()
  const delays = watchDelays(t)
  systemClock.setTimeout(fired, LONGEST_DELAY)
  tick(LONGEST_DELAY)
  equal(fired.mock.callCount(), 1)
  deepEqual(delays, [LONGEST_DELAY])
})

test('one millisecond more than the longest delay does not fire at once', (t) => {
  const tick = mockTimers(t)
  const fired = t.mock.fn()
  systemClock.setTimeout(fired, LONGEST_DELAY + 1)
  tick(LONGEST_DELAY)
  equal(fired.mock.callCount(), 0)
  tick(1)
  equal(fired.mock.callCount(), 1)
})

test('a delay with a fraction does not fire before it is over', (t) => {
  const tick = mockTimers(t)
  const delays = watchDelays(t)
  const fired = t.mock.fn()
  systemClock.setTimeout(fired, 5.25)
  tick(1_000)
  equal(fired.mock.callCount(), 1)
  // Node cuts the fraction off.
  for (const delay of delays) ok(Math.trunc(delay) >= 5.25, `${delay} ms is over after ${Math.trunc(delay)} ms`)
})

test('a timer that was cleared does not fire', (t) => {
  const tick = mockTimers(t)
  const fired = t.mock.fn()
  systemClock.setTimeout(fired, 100).clear()
  tick(1_000)
  equal(fired.mock.callCount(), 0)
})

test('a timer can be cleared in any of its parts', (t) => {
  const tick = mockTimers(t)
  const fired = t.mock.fn()
  const timer = systemClock.setTimeout(fired, 3 * LONGEST_DELAY)
  tick(LONGEST_DELAY)
  tick(LONGEST_DELAY)
  timer.clear()
  tick(LONGEST_DELAY)
  tick(LONGEST_DELAY)
  equal(fired.mock.callCount(), 0)
})

test('clearing twice, or after the timer fired, does nothing', (t) => {
  const tick = mockTimers(t)
  const fired = t.mock.fn()
  const timer = systemClock.setTimeout(fired, 1)
  tick(1)
  timer.clear()
  timer.clear()
  equal(fired.mock.callCount(), 1)
})

test('a pending timer keeps the process alive, unless it was asked not to', () => {
  const clock = JSON.stringify(new URL('../../src/model/clock.ts', import.meta.url))
  const run = (options: string, ms: number): string => {
    const program = `
      const { systemClock } = await import(${clock})
      systemClock.setTimeout(() => process.stdout.write('fired'), ${ms}, ${options})
    `
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 30_000 })
    equal(status, 0)
    return String(stdout)
  }
  equal(run('{}', 20), 'fired')
  equal(run('{ ref: true }', 20), 'fired')
  // A timer that held the process would hold it until the test's own limit.
  equal(run('{ ref: false }', 3_600_000), '')
  // Neither does any of its parts.
  equal(run('{ ref: false }', 3 * LONGEST_DELAY), '')
})

test('time never goes back', () => {
  let last = monotonicNow()
  for (let i = 0; i < 10_000; i++) {
    const now = systemClock.now()
    ok(now >= last)
    last = now
  }
})

test('all threads of the process read the same time', async () => {
  const clock = JSON.stringify(new URL('../../src/model/clock.ts', import.meta.url))
  const program = `
    const { parentPort } = await import('node:worker_threads')
    const { monotonicNow } = await import(${clock})
    parentPort.postMessage(monotonicNow())
  `
  const before = monotonicNow()
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  worker.once('message', resolve).once('error', reject)
  const there = await promise
  const after = monotonicNow()
  ok(before <= there && there <= after, `${before} <= ${there} <= ${after}`)
})

/** The delays that Node's `setTimeout` is given from now on. */
function watchDelays(t: TestContext): number[] {
  const delays: number[] = []
  const { setTimeout } = globalThis
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, ms: number) => {
    delays.push(ms)
    return setTimeout(callback, ms)
  })
  return delays
}
