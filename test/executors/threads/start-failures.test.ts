import { deepEqual, equal, match, ok, throws } from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { CallError, type Runner } from '../../../src/index.ts'
import { commonRunner, endOf, runnerOf, watchWorkers, within } from '../../fixtures/threads/harness.ts'

const HUNG = 'a call does not end'

interface Add {
  add(a: number, b: number): number
}

interface Broken {
  what: string
  module: string
  check: (cause: Error & { code?: unknown }) => void
}

const BROKEN: Broken[] = [
  {
    what: 'with a syntax error',
    module: 'export function add( {',
    check: (cause) => ok(cause instanceof SyntaxError),
  },
  {
    what: 'that throws at import',
    module: 'throw Object.assign(new RangeError("not today"), { code: "E_NOT_TODAY" })',
    check(cause) {
      ok(cause instanceof RangeError)
      deepEqual([cause.message, cause.code], ['not today', 'E_NOT_TODAY'])
    },
  },
  {
    what: 'whose top-level await rejects',
    module: 'await Promise.reject(new RangeError("no database")); export function add() {}',
    check(cause) {
      ok(cause instanceof RangeError)
      equal(cause.message, 'no database')
    },
  },
  {
    what: 'that ends its thread at import',
    module: 'process.exit(5); export function add() {}',
    check: (cause) => match(cause.message, /exit.*5/),
  },
  {
    what: 'with a dependency that is not there',
    module: 'import "./nowhere.js"; export function add() {}',
    check(cause) {
      equal(cause.code, 'ERR_MODULE_NOT_FOUND')
      match(cause.message, /nowhere\.js/)
    },
  },
  {
    what: 'without functions',
    module: 'export const add = 1; export default function () {}',
    check(cause) {
      ok(cause instanceof TypeError)
      match(cause.message, /exports no function/)
    },
  },
]

for (const { what, module, check } of BROKEN) {
  test(`a functions module ${what} is reported by ready() and by every call`, async (t) => {
    const workers = watchWorkers(t)
    const runner = runnerOf<Add>(t, { functions: await moduleOf(t, module), threads: { max: 4 } })
    check(causeOf(await within(10_000, endOf(runner.ready()), 'ready() does not settle')))

    await everyCallFails(runner, check)
    // Half a second of calls one after another, and some at once: a thread for each would be a hundred.
    const until = performance.now() + 500
    while (performance.now() < until) check(causeOf(await within(5_000, endOf(runner.call('add', [1, 2])), HUNG)))
    ok(workers.made.length <= 10, `${workers.made.length} threads were started`)
    deepEqual(runner.stats().calls, { queued: 0, running: 0, finished: 0 })
  })
}

test('calls that wait while the functions module fails to load are not started, and can be tried again', async (t) => {
  const runner = runnerOf<Add>(t, {
    functions: await moduleOf(t, 'throw new Error("no")'),
    threads: { min: 0, max: 2 },
  })
  const status = await runner.start('add', [1, 2])
  ok(status.finished && !status.ok)
  const { code, fn, started, retryable } = status.error
  deepEqual([code, fn, started, retryable], ['SPAWN_FAILED', 'add', 'no', true])
})

test('once the functions module is mended, calls run again', async (t) => {
  const functions = await moduleOf(t, 'export function add( {')
  const runner = runnerOf<Add>(t, { functions, threads: { max: 2 } })
  await everyCallFails(runner, (cause) => ok(cause instanceof SyntaxError))
  await writeFile(functions, 'export function add(a, b) { return a + b }')

  equal(await untilItRuns(runner), 3)
  await runner.ready()
  equal(await runner.call('add', [2, 3]), 5)
})

test('a function that has options and is not there is named by ready() and by every call', async (t) => {
  const define: Record<string, { grace: number }> = { add: { grace: 1 }, ad: { grace: 1 } }
  const runner = runnerOf<Add>(t, {
    functions: await moduleOf(t, 'export function add(a, b) { return a + b }'),
    threads: { max: 2 },
    define,
  })
  const check = (cause: Error): void => {
    ok(cause instanceof TypeError)
    match(cause.message, /define.* ad,/)
  }
  check(causeOf(await within(10_000, endOf(runner.ready()), 'ready() does not settle')))
  await everyCallFails(runner, check)
})

test('threads that cannot start because of execArgv are reported, whether one is kept ready or not', async (t) => {
  const uncaught = watchUncaught(t)
  for (const min of [0, 1]) {
    const runner = commonRunner(t, { threads: { min, max: 2, execArgv: ['--import', './is-not-there.mjs'] } })
    const check = (cause: Error): void => match(cause.message, /is-not-there/)
    check(causeOf(await within(10_000, endOf(runner.ready()), 'ready() does not settle')))
    await everyCallFails(runner, check)
  }
  deepEqual(uncaught, [])
})

test('execArgv that Node refuses are refused at once, and are no uncaught exception', async (t) => {
  const uncaught = watchUncaught(t)
  for (const min of [0, 1]) {
    throws(() => commonRunner(t, { threads: { min, max: 2, execArgv: ['--no-such-flag'] } }), /--no-such-flag/)
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  deepEqual(uncaught, [])
})

test('threads that cannot start in their resourceLimits are reported', async (t) => {
  const uncaught = watchUncaught(t)
  const resourceLimits = { maxOldGenerationSizeMb: 6, maxYoungGenerationSizeMb: 1 }
  const runner = commonRunner(t, { threads: { min: 0, max: 2, resourceLimits } })
  const check = (cause: Error & { code?: unknown }): void => equal(cause.code, 'ERR_WORKER_OUT_OF_MEMORY')
  check(causeOf(await within(10_000, endOf(runner.ready()), 'ready() does not settle')))
  await everyCallFails(runner, check)
  deepEqual(uncaught, [])
})

for (const max of [1, 2, 4]) {
  const title = `threads that die right after they were ready, over and over, are not started over and over: max ${max}`
  test(title, { timeout: 60_000 }, async (t) => {
    const workers = watchWorkers(t)
    const runner = runnerOf<Add>(t, {
      functions: await moduleOf(t, 'setImmediate(() => process.exit(1)); export function add(a, b) { return a + b }'),
      threads: { max },
    })
    await endOf(runner.ready())
    const calls = Array.from({ length: 50 }, () => endOf(runner.call('add', [1, 2])))
    for (const end of await within(20_000, Promise.all(calls), HUNG)) {
      if ('value' in end) equal(end.value, 3)
      else ok(end.error instanceof CallError && ['SPAWN_FAILED', 'WORKER_CRASHED'].includes(end.error.code))
    }
    const before = workers.made.length
    const until = performance.now() + 3_000
    while (performance.now() < until) {
      await within(10_000, endOf(runner.call('add', [1, 2])), HUNG)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const made = workers.made.length - before
    ok(made <= 15, `${made} threads were started in 3 seconds of calls`)
  })
}

test('close() ends while threads fail to start', async (t) => {
  const functions = await moduleOf(t, 'throw new Error("no")')
  for (let round = 0; round < 5; round++) {
    const runner = runnerOf<Add>(t, { functions, threads: { max: 2 } })
    const call = endOf(runner.call('add', [1, 2]))
    await within(8_000, runner.close(), 'close() does not end')
    ok('error' in (await call))
  }
})

test('ready() rejects when the runner is closed before it is ready', async (t) => {
  const runner = commonRunner(t, { threads: { max: 2 } })
  const ready = endOf(runner.ready())
  await runner.close()
  const end = await within(5_000, ready, 'ready() does not settle')
  ok('error' in end && end.error instanceof CallError)
  equal(end.error.code, 'RUNNER_CLOSED')
})

test('close() ends while the functions module never finishes loading', async (t) => {
  const functions = await moduleOf(t, 'await new Promise(() => {}); export function add() {}')
  const runner = runnerOf<Add>(t, { functions, threads: { max: 2 } })
  const status = await runner.start('add', [1, 2], { timeout: 50 })
  ok(!status.finished)
  equal(status.state, 'queued')
  await within(8_000, runner.close({ abort: true }), 'close() does not end')
})

for (const [min, max] of [
  [0, 1],
  [1, 4],
] as const) {
  test(`a module that ends its thread at import is reported each time, with ${min} to ${max} threads`, async (t) => {
    const workers = watchWorkers(t)
    const functions = await moduleOf(t, 'process.exit(1); export function add() {}')
    const runner = runnerOf<Add>(t, { functions, threads: { min, max } })
    for (let round = 0; round < 4; round++) {
      await everyCallFails(runner, (cause) => match(cause.message, /exit|ended/))
      // Past the pause that the last failure has brought.
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** round))
    }
    ok(workers.made.length <= 20, `${workers.made.length} threads were started`)
  })
}

async function moduleOf(t: TestContext, text: string): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-start-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'functions.mjs')
  await writeFile(path, text)
  return pathToFileURL(path)
}

async function everyCallFails(runner: Runner<Add>, check: (cause: Error & { code?: unknown }) => void): Promise<void> {
  const calls = Array.from({ length: 50 }, () => endOf(runner.call('add', [1, 2])))
  for (const end of await within(10_000, Promise.all(calls), HUNG)) check(causeOf(end))
}

function causeOf(end: { value: unknown } | { error: unknown }): Error & { code?: unknown } {
  ok('error' in end && end.error instanceof CallError, `not a CallError: ${String('error' in end ? end.error : end)}`)
  deepEqual([end.error.code, end.error.started], ['SPAWN_FAILED', 'no'])
  ok(end.error.cause instanceof Error)
  return end.error.cause
}

async function untilItRuns(runner: Runner<Add>): Promise<number> {
  const until = performance.now() + 10_000
  for (;;) {
    const end = await endOf(runner.call('add', [1, 2]))
    if ('value' in end) return end.value
    if (performance.now() > until) throw end.error
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Collects exceptions that nobody caught, until the test ends. */
function watchUncaught(t: TestContext): unknown[] {
  const uncaught: unknown[] = []
  const note = (error: unknown): void => {
    uncaught.push(error)
  }
  process.setUncaughtExceptionCaptureCallback(note)
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  return uncaught
}
