import { equal, notEqual } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Runner } from '../../../src/index.ts'
import type { FakeClock } from '../../helpers/fake-clock.ts'
import { clockedRunner, within } from '../../fixtures/threads/harness.ts'
import { awaitLatch, createLatch, openLatch } from '../../fixtures/threads/latch.ts'
import type * as setTime from '../../fixtures/threads/set-time.ts'

const HUNG = 'a call does not end'
const TEN_MS = 10_000

type Functions = typeof setTime

/** A runner that knows `take` for ten milliseconds, and whose timers fire when the test says so. */
async function setUp(t: TestContext, threads: number): Promise<{ runner: Runner<Functions>; clock: FakeClock }> {
  const functions = new URL('../../fixtures/threads/set-time.ts', import.meta.url)
  const { runner, clock } = clockedRunner<Functions>(t, { functions, threads: { min: threads, max: threads } })
  await runner.ready()
  for (let i = 0; i < 5; i++) await runner.call('take', [TEN_MS])
  return { runner, clock }
}

/** Begins a call that runs until it is released. */
async function hold(runner: Runner<Functions>): Promise<{ thread: Promise<number>; release: () => void }> {
  const [started, release] = [createLatch(), createLatch()]
  const thread = runner.call('take', [TEN_MS, started, release])
  await within(10_000, awaitLatch(started), 'the call does not begin')
  return { thread, release: () => openLatch(release) }
}

test('the next call is sent ahead to a thread that is busy, so that it begins without the runner', async (t) => {
  const { runner } = await setUp(t, 1)
  const first = await hold(runner)
  const started = createLatch()
  const next = runner.call('take', [TEN_MS, started])
  const last = runner.call('take', [TEN_MS])
  await new Promise<void>((resolve) => process.nextTick(resolve))
  equal(runner.stats().queueLength, 1)
  first.release()
  await within(10_000, Promise.all([first.thread, next, last]), HUNG)
})

test('a thread that has nothing to do takes over at once what was sent ahead to another', async (t) => {
  const { runner } = await setUp(t, 2)
  const [a, b] = [await hold(runner), await hold(runner)]
  const next = runner.call('take', [TEN_MS])
  await new Promise<void>((resolve) => process.nextTick(resolve))
  equal(runner.stats().queueLength, 0)
  // Whichever of them it waits behind, one time it is the other that is free first.
  b.release()
  const threads = [await within(10_000, next, HUNG), await b.thread]
  equal(threads[0], threads[1])
  a.release()
  notEqual(await a.thread, threads[0])
})

test('what was sent ahead stays there for as long as the call before it may be expected to take, and twice that', async (t) => {
  const { runner, clock } = await setUp(t, 1)
  const first = await hold(runner)
  const next = runner.call('take', [TEN_MS])
  await clock.advance(18)
  equal(runner.stats().queueLength, 0)
  await clock.advance(10)
  equal(runner.stats().queueLength, 1)
  first.release()
  await within(10_000, Promise.all([first.thread, next]), HUNG)
})
