import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { CallError } from '../../../src/index.ts'
import { awaitLatch, createLatch, openLatch } from '../../fixtures/threads/latch.ts'
import { commonRunner, endOf, eventually, watchWorkers, within } from '../../fixtures/threads/harness.ts'

// Whatever happens to one call, nobody else's is harmed by it.

const HUNG = 'a call does not end'

test('calls sent ahead behind a killed call all succeed on another thread', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 100; i++) await runner.call('spinIf', [false])

  const controller = new AbortController()
  const started = createLatch()
  const spinning = endOf(runner.call('spinIf', [true, started], { signal: controller.signal, grace: 0 }))
  const behind = Array.from({ length: 50 }, () => runner.call('spinIf', [false]))
  await awaitLatch(started)
  controller.abort()

  equal((await within(10_000, Promise.all(behind), HUNG)).length, 50)
  const end = await spinning
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.step, end.error.started], ['ABORTED', 'killed', 'yes'])
})

test('calls that had returned before their thread was killed have returned', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 100; i++) await runner.call('spinIf', [false])

  const before = Array.from({ length: 5 }, () => runner.call('spinIf', [false]))
  const spinning = endOf(runner.call('spinIf', [true], { abortAfter: 50, grace: 0 }))

  equal((await within(10_000, Promise.all(before), HUNG)).length, 5)
  const end = await spinning
  ok('error' in end && end.error instanceof CallError)
  equal(end.error.code, 'DEADLINE_EXCEEDED')
})

test('calls that had returned before a call ended their thread have returned', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 100; i++) await runner.call('exitIf', [false, 0])

  const before = Array.from({ length: 5 }, () => runner.call('exitIf', [false, 0]))
  const exiting = endOf(runner.call('exitIf', [true, 7]))
  const behind = Array.from({ length: 5 }, () => runner.call('exitIf', [false, 0]))

  await within(10_000, Promise.all([...before, ...behind]), HUNG)
  const end = await exiting
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.exitCode, end.error.started], ['WORKER_CRASHED', 7, 'yes'])
})

test('a killed thread takes the calls that had begun beside the killed one with it, and no others', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1, concurrency: 4 } })
  const release = createLatch()
  const latches = Array.from({ length: 4 }, createLatch)
  const controller = new AbortController()
  const [first, ...others] = latches.map((started, i) =>
    endOf(runner.call('holdAsync', [started, release], i === 0 ? { signal: controller.signal, grace: 0 } : {})),
  )
  await Promise.all(latches.map(awaitLatch))
  const waiting = Array.from({ length: 20 }, (_, i) => runner.call('add', [i, 1]))
  controller.abort()

  const killed = await first
  ok(killed && 'error' in killed && killed.error instanceof CallError)
  deepEqual([killed.error.code, killed.error.step], ['ABORTED', 'killed'])
  for (const end of await within(10_000, Promise.all(others), HUNG)) {
    ok('error' in end && end.error instanceof CallError)
    const { code, started, retryable, message } = end.error
    deepEqual([code, started, retryable], ['WORKER_CRASHED', 'yes', false])
    ok(message.includes('was killed for another call in it'), message)
  }
  deepEqual(
    await within(10_000, Promise.all(waiting), HUNG),
    waiting.map((_, i) => i + 1),
  )
  openLatch(release)
})

test('calls that were asked to end and go down with another killed call have been aborted', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1, concurrency: 2 } })
  const release = createLatch()
  const [startedA, startedB] = [createLatch(), createLatch()]
  const [a, b] = [new AbortController(), new AbortController()]
  const first = endOf(runner.call('holdAsync', [startedA, release], { signal: a.signal, grace: 10_000 }))
  const second = endOf(runner.call('holdAsync', [startedB, release], { signal: b.signal, grace: 0 }))
  await Promise.all([awaitLatch(startedA), awaitLatch(startedB)])
  a.abort()
  b.abort()

  for (const end of await within(8_000, Promise.all([first, second]), HUNG)) {
    ok('error' in end && end.error instanceof CallError)
    deepEqual([end.error.code, end.error.step], ['ABORTED', 'killed'])
  }
  openLatch(release)
})

test('calls behind a killed call succeed every time, also when all threads are killed at once', async (t) => {
  const runner = commonRunner(t, { threads: { min: 0, max: 2 } })
  for (let round = 0; round < 8; round++) {
    const controller = new AbortController()
    const latches = [createLatch(), createLatch()]
    const spinning = latches.map((started) =>
      endOf(runner.call('spin', [started], { signal: controller.signal, grace: 0 })),
    )
    await Promise.all(latches.map(awaitLatch))
    const behind = Array.from({ length: 10 }, (_, i) => runner.call('add', [i, round]))
    controller.abort()
    deepEqual(
      await within(10_000, Promise.all(behind), HUNG),
      behind.map((_, i) => i + round),
    )
    await Promise.all(spinning)
  }
})

test('calls that wait for a thread that dies before it is ready end as not begun, and later ones run', async (t) => {
  const workers = watchWorkers(t)
  const runner = commonRunner(t, { threads: { max: 1 } })
  const calls = Array.from({ length: 10 }, (_, i) => endOf(runner.call('add', [i, 1])))
  await eventually(() => workers.made.length > 0, 'no thread was made')
  await workers.made[0]?.terminate()
  for (const [i, end] of (await within(10_000, Promise.all(calls), HUNG)).entries()) {
    if ('value' in end) equal(end.value, i + 1)
    else {
      ok(end.error instanceof CallError)
      deepEqual([end.error.code, end.error.started, end.error.retryable], ['SPAWN_FAILED', 'no', true])
    }
  }
  let last: unknown
  await eventually(() => {
    if (last === undefined)
      last = endOf(runner.call('add', [1, 2])).then((end) => (last = 'value' in end ? 3 : undefined))
    return last === 3
  }, 'no call runs')
})

test('calls whose thread dies after it was ready and before it began them run on another', async (t) => {
  const workers = watchWorkers(t)
  const runner = commonRunner(t, { threads: { max: 1 } })
  await runner.ready()
  const calls = Array.from({ length: 10 }, (_, i) => runner.call('add', [i, 1]))
  void workers.made[0]?.terminate()
  deepEqual(
    await within(10_000, Promise.all(calls), HUNG),
    calls.map((_, i) => i + 1),
  )
})

test('a call that is handed in while its thread dies ends well, or says that it had begun', async (t) => {
  const workers = watchWorkers(t)
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let round = 0; round < 10; round++) {
    equal(await runner.call('add', [round, 1]), round + 1)
    const call = runner.call('add', [round, 2])
    for (const worker of workers.alive) void worker.terminate()
    const end = await within(10_000, endOf(call), HUNG)
    if ('value' in end) equal(end.value, round + 2)
    else {
      ok(end.error instanceof CallError)
      deepEqual([end.error.code, end.error.started], ['WORKER_CRASHED', 'yes'])
    }
  }
})

for (const ms of [0, 30, 250]) {
  test(`a thread that dies ${ms} ms after its last call is replaced, and nobody notices`, async (t) => {
    const workers = watchWorkers(t)
    const runner = commonRunner(t, { threads: { max: 1 } })
    await runner.call('throwAfterwards', [ms])
    await eventually(() => workers.alive.size !== 1 || workers.made.length > 1, 'the thread does not die')
    equal(await within(10_000, runner.call('add', [1, 2]), HUNG), 3)
    equal(workers.made.length, 2)
  })
}

test('a call whose buffers were moved to a thread that died says that it had not begun', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1, concurrency: 2 } })
  const release = createLatch()
  const started = createLatch()
  const controller = new AbortController()
  const spinning = endOf(runner.call('spin', [started], { signal: controller.signal, grace: 0 }))
  await awaitLatch(started)
  const buffer = new ArrayBuffer(8)
  const moved = endOf(runner.call('byteLength', [buffer], { transfer: [buffer] }))
  await eventually(() => buffer.detached, 'the buffer is not moved')
  controller.abort()

  const end = await within(10_000, moved, HUNG)
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.started, end.error.retryable], ['WORKER_CRASHED', 'no', false])
  await spinning
  openLatch(release)
})

test('a call that is cancelled while others are sent has not begun', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1, concurrency: 8 } })
  await runner.ready()
  const stop = new AbortController()
  runner.on('finished', ({ outcome }) => {
    if (!outcome.ok) stop.abort('one has failed')
  })
  const common = { in: 'all of them' }
  const buffer = new Uint8Array(4)
  // Moved twice, which shows only when it is sent; and what they have in common keeps the third out of that message.
  const sent = [0, 1].map(() => endOf(runner.call('echo', [[buffer, common]], { transfer: [buffer.buffer] })))
  const cancelled = endOf(runner.call('spin', [common as never], { signal: stop.signal, grace: 0 }))
  const end = await within(10_000, cancelled, HUNG)
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.step, end.error.started], ['ABORTED', 'queued', 'no'])
  await Promise.all(sent)
})

/** Milliseconds: threads that collect garbage until they run out of memory are slow where many others run. */
const PATIENT = 200_000

test('a call whose arguments do not fit into a thread ends with OUT_OF_MEMORY, and no other does', async (t) => {
  const workers = watchWorkers(t)
  const runner = commonRunner(t, { threads: { max: 1, resourceLimits: { maxOldGenerationSizeMb: 32 } } })
  await runner.call('add', [1, 2])
  // Few and long: a thread that is filled with small objects collects garbage for seconds before it gives up.
  const large = Array.from({ length: 6 }, (_, i) => String(i).padEnd(10_000_000))
  const before = workers.made.length
  const began = performance.now()
  const poison = endOf(runner.call('echo', [large]))
  const others = Array.from({ length: 5 }, (_, i) => runner.call('add', [i, 1]))
  const end = await within(PATIENT, poison, HUNG)
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.started], ['OUT_OF_MEMORY', 'no'])
  deepEqual(await within(PATIENT, Promise.all(others), HUNG), [1, 2, 3, 4, 5])
  // Three, and one after them; and one for each second in which a busy machine made no headway with unpacking.
  const most = 4 + (performance.now() - began) / 1_000
  ok(workers.made.length - before <= most, `${workers.made.length - before} threads were started for it`)
})
