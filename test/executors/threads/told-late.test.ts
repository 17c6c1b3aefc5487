import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createRunner, type CallStatus, type Runner, type RunnerOptions } from '../../../src/index.ts'
import { awaitLatchBlocking, block, createLatch, type Latch } from '../../fixtures/threads/latch.ts'
import type * as timed from '../../fixtures/threads/timed.ts'

type Timed = typeof timed

const functions = new URL('../../fixtures/threads/timed.ts', import.meta.url)

function runnerOf(t: TestContext, options: Partial<RunnerOptions<Timed>> = {}): Runner<Timed> {
  const runner = createRunner<Timed>({ functions, threads: { max: 1 }, ...options })
  t.after(() => runner.close({ abort: true, grace: 0 }))
  return runner
}

/** A runner that knows `holdFor` for so short that calls of it are sent ahead. */
async function warmRunner(t: TestContext): Promise<Runner<Timed>> {
  const runner = runnerOf(t)
  await runner.ready()
  for (let i = 0; i < 2_000; i++) await runner.call('holdFor', [0])
  return runner
}

/** Lets calls be sent, and then hears nothing until the latch opens, and `ms` milliseconds more. */
async function blockAfterSending(latch: Latch, ms = 0): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  awaitLatchBlocking(latch)
  block(ms)
}

function endOf(status: CallStatus): unknown {
  return status.finished && (status.ok ? status.value : status.error.code)
}

test('a cancel of a call that has returned, and was not told, ends nobody else', async (t) => {
  const runner = await warmRunner(t)
  const begins = createLatch()
  const short = await runner.start('holdFor', [0], { timeout: 0 })
  const long = await runner.start('holdFor', [150, begins], { timeout: 0 })
  await blockAfterSending(begins)
  equal(endOf(await runner.cancel(short.id, { grace: 0 })), 0)
  equal(endOf(await runner.wait(long.id)), 150)
})

test('a deadline of a call that has returned, and was not told, ends nobody else', async (t) => {
  const runner = await warmRunner(t)
  const begins = createLatch()
  const short = await runner.start('holdFor', [0], { timeout: 0, abortAfter: 50, grace: 0 })
  const long = await runner.start('holdFor', [300, begins], { timeout: 0 })
  await blockAfterSending(begins, 60)
  deepEqual([endOf(await runner.wait(short.id)), endOf(await runner.wait(long.id))], [0, 300])
})

test('a look at a call that has returned, and was not told, sees its value', async (t) => {
  const runner = await warmRunner(t)
  const begins = createLatch()
  const short = await runner.start('holdFor', [0], { timeout: 0 })
  const long = runner.call('holdFor', [200, begins])
  await blockAfterSending(begins)
  equal(endOf(await runner.wait(short.id, { timeout: 0 })), 0)
  equal(await long, 200)
})

test('a listener that cancels another call of the same message finds it ended', async (t) => {
  const runner = await warmRunner(t)
  const calls = await Promise.all([0, 0, 0].map((ms) => runner.start('holdFor', [ms], { timeout: 0 })))
  const long = runner.call('holdFor', [100])
  runner.once('finished', () => {
    for (const { id } of calls) void runner.cancel(id, { grace: 0 })
  })
  for (const { id } of calls) {
    const status = await runner.wait(id)
    // On a busy machine one of them may not have begun.
    const wasDropped = status.finished && !status.ok && status.error.step === 'queued'
    ok(wasDropped || endOf(status) === 0, String(endOf(status)))
  }
  equal(await long, 100)
})

test('a call that threw before its deadline threw, though nobody heard of it in time', async (t) => {
  const runner = runnerOf(t)
  await runner.ready()
  for (let round = 0; round < 3; round++) {
    const ended = createLatch()
    const call = runner.start('fail', [ended], { abortAfter: 500 })
    await blockAfterSending(ended, 600)
    equal(endOf(await call), 'FUNCTION_THREW')
  }
})

test('a call that waits for a thread held up by what another left behind gets one', async (t) => {
  const runner = runnerOf(t, { threads: { min: 0, max: 1 } })
  await runner.call('leaveBehind', [6_000])
  await new Promise((resolve) => setTimeout(resolve, 400))
  equal(endOf(await runner.start('holdFor', [1])), 1)
  equal(endOf(await runner.start('holdFor', [2])), 2)
})

test('an unknown function is refused also before a thread is ready, with whatever options', async (t) => {
  const runner = runnerOf(t) as Runner
  for (const options of [{}, { retain: 1_000 }, { idempotencyKey: 'a' }]) {
    const refused = await runner.start('nope', [], options).then(endOf, (error: { code: string }) => error.code)
    equal(refused, 'FUNCTION_NOT_FOUND')
  }
  deepEqual(await runner.list(), { calls: [] })
})

test('the ID of a call that is kept from its beginning says where it ran', async (t) => {
  const runner = runnerOf(t)
  const status = await runner.start('holdFor', [1], { retain: 60_000 })
  match(String(status.finished && status.id), /^\d+:[1-9]\d*:/)
})

test('a logger that throws comes between no call and its end', async () => {
  const script = fileURLToPath(new URL('../../fixtures/threads/broken-logger.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  const ends = ['FUNCTION_THREW', 0, 1]
  deepEqual(JSON.parse(stdout), { ends, finished: 3, uncaught: 1 })
})
