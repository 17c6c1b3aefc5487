import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import type { CallFinished } from '../../src/index.ts'
import { CallError } from '../../src/model/errors.ts'
import type { AnyFunctions } from '../../src/model/functions.ts'
import { resolveOptions } from '../../src/model/options.ts'
import { LocalRunner } from '../../src/runner/local-runner.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { FakeExecutor } from '../helpers/fake-executor.ts'

const DEBUG = 20
const WARN = 40

interface Line {
  level: number
  msg: string
  callId?: string
  fn?: string
  code?: string
  err?: { type: string; message: string; code: string }
  underWay?: number
}

interface SetUp {
  runner: LocalRunner<AnyFunctions>
  executor: FakeExecutor
  clock: FakeClock
  lines: Line[]
}

function setUp(level: string): SetUp {
  const lines: Line[] = []
  const logger = pino({ level, base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) })
  const clock = new FakeClock()
  let executor: FakeExecutor | undefined
  const runner = new LocalRunner<AnyFunctions>({
    options: resolveOptions({ functions: new URL(import.meta.url), logger }),
    clock,
    createExecutor: (_, ports) => (executor = new FakeExecutor(ports)),
  })
  return { runner, executor: executor as FakeExecutor, clock, lines }
}

/** How a call of `fn` fails, by the code that it fails with and the function's name. */
const FAILURES: [fn: string, code: string, fail: (setUp: SetUp, id: string) => unknown][] = [
  ['throws', 'FUNCTION_THREW', ({ executor }) => executor.throw(executor.sendAndBegin(), new RangeError('boom'))],
  ['throws nothing', 'FUNCTION_THREW', ({ executor }) => executor.throw(executor.sendAndBegin(), undefined)],
  ['crashes', 'WORKER_CRASHED', ({ executor }) => executor.crash(executor.sendAndBegin())],
  [
    'has no thread',
    'SPAWN_FAILED',
    ({ executor }) => executor.fail(executor.sendAndBegin(), new CallError('SPAWN_FAILED', 'no thread')),
  ],
  ['is dropped', 'ABORTED', ({ runner }, id) => runner.cancel(id)],
  [
    'is killed',
    'ABORTED',
    ({ runner, executor }, id) => {
      executor.onKill = (call) => executor.reap(call)
      executor.sendAndBegin()
      return runner.cancel(id, { grace: 0 })
    },
  ],
  [
    'takes too long',
    'DEADLINE_EXCEEDED',
    ({ executor, clock }) => {
      executor.onInterrupt = (call) => executor.throw(call, new Error('asked to end'))
      executor.sendAndBegin()
      return clock.advance(1_000)
    },
  ],
]

for (const [fn, code, fail] of FAILURES) {
  test(`one line at warn tells of a call that fails: one that ${fn}`, async () => {
    const all = setUp('trace')
    const { id } = await all.runner.start(fn, [], { timeout: 0, abortAfter: 1_000 })
    await fail(all, id)
    const status = await all.runner.wait(id)
    ok(status.finished && !status.ok)
    const [line, ...more] = all.lines
    deepEqual([line?.level, line?.msg, more], [WARN, 'call failed', []])
    deepEqual([line?.callId, line?.fn, line?.code], [id, fn, code])
    deepEqual([line?.err?.type, line?.err?.code, status.error.code], ['CallError', code, code])
    // Pino adds the messages of causes.
    ok(line?.err?.message.startsWith(status.error.message), line?.err?.message)
  })
}

test('each of many failed calls has one line, and those that went well have none', async () => {
  const { runner, executor, lines } = setUp('trace')
  const failed = new Map<string, string>()
  runner.on('finished', ({ id, fn, outcome }: CallFinished) => {
    if (!outcome.ok) failed.set(id, fn)
  })
  const ends = []
  for (let i = 0; i < 60; i++) {
    ends.push(i % 2 ? runner.start(`f${i}`, []) : runner.call(`f${i}`, []).catch(() => undefined))
    const call = executor.sendAndBegin()
    if (i % 3 === 0) executor.throw(call, new Error('boom'))
    else executor.return(call)
  }
  await Promise.all(ends)
  equal(failed.size, 20)
  deepEqual(
    lines.map(({ callId, fn }) => [callId, fn]),
    [...failed],
  )
})

test('a failed call that nobody was given the ID of has one in its line', async () => {
  const { runner, executor, lines } = setUp('warn')
  const call = runner.call('work', [])
  executor.throw(executor.sendAndBegin(), new RangeError('boom'))
  await call.catch(() => undefined)
  match(lines[0]?.callId ?? '', /^\d+:7:\d+\.\d+:[0-9a-f]{40}$/)
})

test('a call that is refused has no line: it never was', async () => {
  const { runner, lines } = setUp('trace')
  const aborted = runner.call('work', [], { signal: AbortSignal.abort() })
  equal(await aborted.catch((error: CallError) => error.code), 'ABORTED')
  deepEqual(lines, [])
})

test('a logger above warn hears nothing of failed calls', async () => {
  const { runner, executor, lines } = setUp('error')
  const call = runner.call('work', [])
  executor.throw(executor.sendAndBegin(), new RangeError('boom'))
  await call.catch(() => undefined)
  deepEqual(lines, [])
})

test('a runner tells at debug that it is closing, with how many calls, and when it is closed', async () => {
  const { runner, executor, clock, lines } = setUp('trace')
  const told = (): unknown[] => lines.map(({ level, msg, underWay }) => [level, msg, underWay])
  void runner.call('work', [])
  const call = executor.sendAndBegin()
  const closed = runner.close()
  await clock.settle()
  deepEqual(told(), [[DEBUG, 'runner closing', 1]])
  executor.return(call)
  await closed
  await runner.close()
  deepEqual(told().slice(1), [[DEBUG, 'runner closed', undefined]])
})
