import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type * as unevenImport from '../../fixtures/threads/uneven-import.ts'
import { awaitLatch, createLatch, openLatch } from '../../fixtures/threads/latch.ts'
import {
  clockedRunner,
  commonRunner,
  eventually,
  runnerOf,
  watchWorkers,
  within,
} from '../../fixtures/threads/harness.ts'

const HUNG = 'a call does not end'

for (const min of [0, 1]) {
  test(`a cold burst of slow calls runs on all threads there may be, side by side: min ${min}`, async (t) => {
    const workers = watchWorkers(t)
    const runner = commonRunner(t, { threads: { min, max: 4 } })
    const release = createLatch()
    const latches = Array.from({ length: 4 }, createLatch)
    const calls = latches.map((started) => runner.call('hold', [started, release]))
    await new Promise((resolve) => setImmediate(resolve))
    equal(runner.stats().threads.size, 4, 'the threads are started one after another')
    // Each begins although none has ended.
    await within(15_000, Promise.all(latches.map(awaitLatch)), 'the calls do not run side by side')
    deepEqual(runner.stats().threads, { size: 4, busy: 4 })
    equal(runner.stats().calls.running, 4)
    openLatch(release)
    equal(new Set(await Promise.all(calls)).size, 4)
    equal(workers.made.length, 4)
  })
}

test('a burst of slow calls of a known function starts threads too', async (t) => {
  const runner = commonRunner(t, { threads: { max: 3 } })
  for (let i = 0; i < 100; i++) await runner.call('holdIf', [])
  const release = createLatch()
  const latches = Array.from({ length: 3 }, createLatch)
  const calls = latches.map((started) => runner.call('holdIf', [started, release]))
  await within(15_000, Promise.all(latches.map(awaitLatch)), 'the calls do not run side by side')
  openLatch(release)
  equal(new Set(await Promise.all(calls)).size, 3)
})

test('small calls one after another need no second thread', async (t) => {
  const workers = watchWorkers(t)
  // Its time stands still while a call is under way: to a real one, a thread that a busy machine does not let run for a
  // while looks as if it were held up.
  const { runner, clock } = clockedRunner(t, { threads: { max: 4 } })
  for (let i = 0; i < 500; i++) {
    await within(10_000, runner.call('noop', []), HUNG)
    await clock.advance(5)
  }
  equal(workers.made.length, 1)
  equal(runner.stats().threads.size, 1)
})

test('calls never run on more threads than there may be', async (t) => {
  const workers = watchWorkers(t)
  const runner = commonRunner(t, { threads: { min: 0, max: 2 } })
  await Promise.all(Array.from({ length: 30 }, () => runner.call('blockFor', [10])))
  equal(workers.made.length, 2)
  equal(runner.stats().threads.size, 2)
})

for (const min of [0, 1, 2]) {
  test(`threads that are idle end, down to min: ${min}`, async (t) => {
    const workers = watchWorkers(t)
    const runner = commonRunner(t, { threads: { min, max: 4, idleTimeout: 100 } })
    const release = createLatch()
    const latches = Array.from({ length: 4 }, createLatch)
    const calls = latches.map((started) => runner.call('hold', [started, release]))
    await within(15_000, Promise.all(latches.map(awaitLatch)), 'the calls do not run side by side')
    openLatch(release)
    await Promise.all(calls)

    await eventually(() => runner.stats().threads.size === min, 'idle threads do not end')
    await eventually(() => workers.alive.size === min, 'idle threads do not end')
    // None of those that are kept ends when Piscina's time is over once more.
    await sleep(300)
    deepEqual(runner.stats().threads, { size: min, busy: 0 })
    equal(await within(10_000, runner.call('add', [1, 2]), HUNG), 3)
  })
}

test('a thread is not idle while a call runs in it, however long', async (t) => {
  const { runner, clock } = clockedRunner(t, { threads: { min: 0, max: 1, idleTimeout: 0 } })
  const [started, release] = [createLatch(), createLatch()]
  const call = runner.call('holdAsync', [started, release])
  await awaitLatch(started)
  await clock.advance(10_000)
  deepEqual(runner.stats().threads, { size: 1, busy: 1 })
  openLatch(release)
  ok((await within(10_000, call, HUNG)) > 0)
})

test('calls run one by one on threads that end as soon as they are idle', async (t) => {
  const { runner, clock } = clockedRunner(t, { threads: { min: 0, max: 2, idleTimeout: 0 } })
  for (let i = 0; i < 6; i++) {
    equal(await within(10_000, runner.call('add', [i, 1]), HUNG), i + 1)
    // Around the time at which the runner lets go of an idle thread.
    await clock.advance(90 + 5 * i)
  }
})

for (const idleTimeout of [Infinity, 2 ** 31 + 1_000]) {
  test(`an idle thread stays for an idleTimeout of ${idleTimeout}`, async (t) => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => {
      if (warning.name === 'TimeoutOverflowWarning') warnings.push(warning)
    }
    process.on('warning', onWarning)
    t.after(() => {
      process.off('warning', onWarning)
    })
    const { runner, clock } = clockedRunner(t, { threads: { min: 0, max: 1, idleTimeout } })
    const thread = await runner.call('thread', [])
    // The runner lets go of the thread, and Piscina counts how long it is idle.
    await clock.advance(1_000)
    await sleep(300)
    equal(runner.stats().threads.size, 1)
    equal(await runner.call('thread', []), thread)
    deepEqual(warnings, [])
  })
}

test('with concurrency asynchronous calls run side by side in one thread', async (t) => {
  const workers = watchWorkers(t)
  const { runner, clock } = clockedRunner(t, { threads: { max: 1, concurrency: 8 } })
  const release = createLatch()
  const latches = Array.from({ length: 10 }, createLatch)
  // The last that may begin says so some turns of its event loop later: one more would have begun by then.
  const calls = latches.map((started, i) => runner.call('holdAsync', [started, release, i === 7 ? 20 : 0]))
  await within(10_000, Promise.all(latches.slice(0, 8).map(awaitLatch)), 'the calls do not run side by side')
  // The ninth has to wait for one of the eight: also when the runner has looked around.
  await clock.advance(1_000)
  deepEqual(
    latches.slice(8).map((latch) => latch[0]),
    [0, 0],
  )
  equal(runner.stats().calls.running, 8)
  openLatch(release)
  equal(new Set(await within(10_000, Promise.all(calls), HUNG)).size, 1)
  equal(workers.made.length, 1)
})

test('ready() resolves when as many threads as are kept ready can run calls', async (t) => {
  const workers = watchWorkers(t)
  const runner = commonRunner(t, { threads: { min: 3, max: 4 } })
  await within(15_000, runner.ready(), 'ready() does not settle')
  equal(workers.made.length, 3)
  // Also when the runner has let go of them in the meantime, and Piscina has noticed.
  await sleep(300)
  await within(15_000, runner.ready(), 'ready() does not settle')
  equal(workers.made.length, 3)
})

test('threads have the environment they are given, or a copy of this one', async (t) => {
  const name = 'COATCHECK_TEST_OF_ENV'
  process.env[name] = 'ours'
  t.after(() => {
    delete process.env[name]
  })
  const copied = commonRunner(t, { threads: { max: 1 } })
  equal(await copied.call('env', [name]), 'ours')
  const given = commonRunner(t, { threads: { max: 1, env: { [name]: 'given' } } })
  deepEqual([await given.call('env', [name]), await given.call('env', ['PATH'])], ['given', undefined])
})

test('ready() resolves also when one thread takes longer to import the functions than another stays idle', async (t) => {
  const functions = new URL('../../fixtures/threads/uneven-import.ts', import.meta.url)
  const runner = runnerOf<typeof unevenImport>(t, { functions, threads: { min: 2, max: 2 } })
  await within(10_000, runner.ready(), 'ready() does not settle')
  equal(await runner.call('add', [1, 2]), 3)
})

test('ready() starts a thread when none is kept ready', async (t) => {
  const runner = commonRunner(t, { threads: { min: 0, max: 2 } })
  equal(runner.stats().threads.size, 0)
  await within(15_000, runner.ready(), 'ready() does not settle')
  equal(runner.stats().threads.size, 1)
})
