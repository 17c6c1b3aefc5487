import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CallError } from '../../../src/index.ts'
import type * as context from '../../fixtures/threads/context.ts'
import { awaitLatch, createLatch, openLatch } from '../../fixtures/threads/latch.ts'
import { commonRunner, endOf, runnerOf, within } from '../../fixtures/threads/harness.ts'
import type * as slowImport from '../../fixtures/threads/slow-import.ts'

const HUNG = 'a call does not end'
const CONTEXT = new URL('../../fixtures/threads/context.ts', import.meta.url)

// What ends calls: abortAfter, cancel, and their threads.

test('abortAfter does not count while a call waits behind another', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  const [started, release] = [createLatch(), createLatch()]
  const first = runner.call('hold', [started, release])
  await awaitLatch(started)
  const waiting = runner.call('blockFor', [10], { abortAfter: 200 })
  await sleep(500)
  openLatch(release)
  await first
  ok((await within(10_000, waiting, HUNG)) > 0)
})

test('abortAfter does not count for a call that was sent ahead and has not begun', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 100; i++) await runner.call('holdIf', [])
  const [started, release] = [createLatch(), createLatch()]
  const first = runner.call('holdIf', [started, release])
  const behind = Array.from({ length: 5 }, () => runner.call('holdIf', [], { abortAfter: 100 }))
  // Looked at while they are still with that thread.
  const hasty = Array.from({ length: 5 }, () => endOf(runner.call('holdIf', [], { abortAfter: 1 })))
  await awaitLatch(started)
  await sleep(300)
  openLatch(release)
  await first
  equal((await within(10_000, Promise.all(behind), HUNG)).length, 5)
  for (const end of await within(10_000, Promise.all(hasty), HUNG)) {
    if ('error' in end) ok(end.error instanceof CallError && end.error.started === 'yes')
  }
})

test('abortAfter does not count while the thread boots', async (t) => {
  const functions = new URL('../../fixtures/threads/slow-import.ts', import.meta.url)
  const runner = runnerOf<typeof slowImport>(t, { functions, threads: { min: 0, max: 1 } })
  const began = performance.now()
  equal(await within(10_000, runner.call('add', [1, 2], { abortAfter: 150 }), HUNG), 3)
  ok(performance.now() - began >= 600)
})

test('a busy loop is killed after its abortAfter and grace, and others run on', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  await runner.ready()
  const began = performance.now()
  const spinning = endOf(runner.call('spin', [], { abortAfter: 100, grace: 100 }))
  const behind = runner.call('add', [1, 2])
  const end = await within(10_000, spinning, HUNG)
  const took = performance.now() - began
  ok('error' in end && end.error instanceof CallError)
  const { code, step, started, retryable } = end.error
  deepEqual([code, step, started, retryable], ['DEADLINE_EXCEEDED', 'killed', 'yes', false])
  ok(took >= 199, `killed after ${took} ms`)
  equal(await within(10_000, behind, HUNG), 3)
})

test('abortAfter from define holds for each call, unless the call says otherwise', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 }, define: { blockFor: { abortAfter: 50, grace: 0 } } })
  const end = await within(10_000, endOf(runner.call('blockFor', [10_000])), HUNG)
  ok('error' in end && end.error instanceof CallError)
  equal(end.error.code, 'DEADLINE_EXCEEDED')
  ok((await runner.call('blockFor', [150], { abortAfter: 5_000 })) > 0)
})

test('a function that ends when its deadline has passed ends cooperatively, with what it threw as the cause', async (t) => {
  const runner = runnerOf<typeof context>(t, { functions: CONTEXT, threads: { max: 1 } })
  const started = createLatch()
  const end = await within(10_000, endOf(runner.call('throwWhenAborted', [started], { abortAfter: 50 })), HUNG)
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.step], ['DEADLINE_EXCEEDED', 'cooperative'])
  ok(end.error.cause instanceof Error)
  equal(end.error.cause.name, 'TimeoutError')
})

test('a cancelled call that returns in its grace time has returned', async (t) => {
  const runner = runnerOf<typeof context>(t, { functions: CONTEXT, threads: { max: 1 } })
  const started = createLatch()
  const status = await runner.start('untilAborted', [started], { timeout: 0 })
  ok(!status.finished)
  await awaitLatch(started)
  await runner.cancel(status.id, { reason: 'enough' })
  const ended = await runner.wait(status.id)
  ok(ended.finished && ended.ok)
  deepEqual(ended.value, { name: 'AbortError', message: 'enough', aborted: true })
})

test('a busy loop sees that it is cancelled in shared memory', async (t) => {
  const runner = runnerOf<typeof context>(t, { functions: CONTEXT, threads: { max: 1 } })
  const started = createLatch()
  const controller = new AbortController()
  const call = runner.call('pollAborted', [started], { signal: controller.signal, grace: 10_000 })
  await awaitLatch(started)
  controller.abort()
  equal(await within(8_000, call, HUNG), 'saw it')
})

test('a function that asks for its signal late finds it aborted', async (t) => {
  const runner = runnerOf<typeof context>(t, { functions: CONTEXT, threads: { max: 1 } })
  const started = createLatch()
  const controller = new AbortController()
  const call = runner.call('lateSignal', [started], { signal: controller.signal, grace: 10_000 })
  await awaitLatch(started)
  controller.abort()
  equal(await within(8_000, call, HUNG), true)
})

test('the call after an aborted one in the same place is not aborted', async (t) => {
  const runner = runnerOf<typeof context>(t, { functions: CONTEXT, threads: { max: 1 } })
  for (let round = 0; round < 5; round++) {
    const started = createLatch()
    const controller = new AbortController()
    const aborted = runner.call('pollAborted', [started], { signal: controller.signal, grace: 10_000 })
    await awaitLatch(started)
    controller.abort()
    await within(8_000, aborted, HUNG)
    const release = createLatch()
    openLatch(release)
    equal(await runner.call('ignoreAbort', [createLatch(), release]), 'in time')
  }
})

test('a cancelled call that has not begun never begins', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 100; i++) await runner.call('holdIf', [])
  const cells = new Int32Array(new SharedArrayBuffer(8))
  await runner.call('count', [cells, 0])
  const [started, release] = [createLatch(), createLatch()]
  const first = runner.call('holdIf', [started, release])
  const controller = new AbortController()
  const dropped = endOf(runner.call('count', [cells, 1], { signal: controller.signal }))
  await awaitLatch(started)
  controller.abort('not needed')
  const end = await within(5_000, dropped, HUNG)
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.step, end.error.started], ['ABORTED', 'queued', 'no'])
  openLatch(release)
  await first
  await runner.call('noop', [])
  deepEqual([...cells], [1, 0])
})

test('a second cancel with less grace kills sooner', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  const started = createLatch()
  const status = await runner.start('spin', [started], { timeout: 0 })
  ok(!status.finished)
  await awaitLatch(started)
  await runner.cancel(status.id, { grace: 60_000 })
  await runner.cancel(status.id, { grace: 0 })
  const ended = await within(10_000, runner.wait(status.id), HUNG)
  ok(ended.finished && !ended.ok)
  deepEqual([ended.error.code, ended.error.step], ['ABORTED', 'killed'])
})

test('close with abort ends busy loops on several threads', async (t) => {
  const runner = commonRunner(t, { threads: { min: 3, max: 3 } })
  const latches = Array.from({ length: 3 }, createLatch)
  const calls = latches.map((started) => endOf(runner.call('spin', [started])))
  const waiting = endOf(runner.call('add', [1, 2]))
  await Promise.all(latches.map(awaitLatch))
  await within(10_000, runner.close({ abort: true, grace: 50 }), 'close() does not end')
  for (const end of await Promise.all(calls)) {
    ok('error' in end && end.error instanceof CallError)
    deepEqual([end.error.code, end.error.step], ['ABORTED', 'killed'])
  }
  const end = await waiting
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.step], ['ABORTED', 'queued'])
})

test('a call that sits in native code ends soon after its grace, and others run on', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-abort-'))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  t.after(async () => {
    // Both ends at once: that does not block, and lets the thread go.
    await (await open(pipe, 'r+')).close()
    await rm(folder, { recursive: true })
  })
  const runner = commonRunner(t, { threads: { max: 1 } })
  const started = createLatch()
  const controller = new AbortController()
  const call = endOf(runner.call('openPipe', [started, pipe], { signal: controller.signal, grace: 0 }))
  await awaitLatch(started)
  const behind = runner.call('add', [1, 2])
  controller.abort()
  equal(await within(5_000, behind, HUNG), 3)
  const end = await within(5_000, call, HUNG)
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.step], ['ABORTED', 'killed'])
})

test('one signal cancels many calls, and leaves no listener behind on those that had ended', async (t) => {
  const warnings: string[] = []
  const onWarning = ({ name }: Error): void => void warnings.push(name)
  process.on('warning', onWarning)
  t.after(() => {
    process.off('warning', onWarning)
  })
  const runner = commonRunner(t, { threads: { max: 2 } })
  const controller = new AbortController()
  const { signal } = controller
  await Promise.all(Array.from({ length: 100 }, () => runner.call('noop', [], { signal })))
  equal(getEventListeners(signal, 'abort').length, 0)

  const latches = [createLatch(), createLatch()]
  const running = latches.map((started) => endOf(runner.call('spin', [started], { signal, grace: 0 })))
  const waiting = Array.from({ length: 50 }, () => endOf(runner.call('noop', [], { signal })))
  await Promise.all(latches.map(awaitLatch))
  controller.abort(new Error('enough of this'))
  for (const end of await within(10_000, Promise.all([...running, ...waiting]), HUNG)) {
    ok('error' in end && end.error instanceof CallError)
    equal(end.error.code, 'ABORTED')
    equal(end.error.cause, signal.reason)
  }
  equal(getEventListeners(signal, 'abort').length, 0)
  deepEqual(warnings, [])
})

// Threads that end

test('a call that runs out of memory says so, and those behind it succeed', async (t) => {
  const resourceLimits = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 8 }
  const runner = commonRunner(t, { threads: { max: 1, resourceLimits } })
  const eating = endOf(runner.call('eatMemory', []))
  const behind = runner.call('add', [1, 2])
  const end = await within(30_000, eating, HUNG)
  ok('error' in end && end.error instanceof CallError)
  const { code, started, retryable, message } = end.error
  deepEqual([code, started, retryable], ['OUT_OF_MEMORY', 'yes', false])
  match(message, /resourceLimits/)
  equal(await within(10_000, behind, HUNG), 3)
})

for (const status of [0, 1, 42]) {
  test(`a call that ends its thread with exit status ${status} says so`, async (t) => {
    const runner = commonRunner(t, { threads: { max: 1 } })
    const end = await within(10_000, endOf(runner.call('exit', [status])), HUNG)
    ok('error' in end && end.error instanceof CallError)
    const { code, exitCode, started, retryable } = end.error
    deepEqual([code, exitCode, started, retryable], ['WORKER_CRASHED', status, 'yes', false])
    equal(await within(10_000, runner.call('add', [1, 2]), HUNG), 3)
  })
}

test('an unhandled rejection ends the call with what was rejected as the cause', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  const end = await within(10_000, endOf(runner.call('rejectUnhandled', ['nobody caught it'])), HUNG)
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.started], ['WORKER_CRASHED', 'yes'])
  ok(end.error.cause instanceof RangeError)
  equal(end.error.cause.message, 'nobody caught it')
  equal(await within(10_000, runner.call('add', [1, 2]), HUNG), 3)
})

test('an exception in a timer ends the call with what was thrown as the cause', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  const end = await within(10_000, endOf(runner.call('throwInTimer', ['nobody caught it'])), HUNG)
  ok('error' in end && end.error instanceof CallError)
  deepEqual([end.error.code, end.error.started], ['WORKER_CRASHED', 'yes'])
  ok(end.error.cause instanceof RangeError)
  equal(await within(10_000, runner.call('add', [1, 2]), HUNG), 3)
})
