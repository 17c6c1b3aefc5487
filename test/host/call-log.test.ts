import { deepEqual, equal, ok } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import type { Runner } from '../../src/index.ts'
import type * as context from '../fixtures/threads/context.ts'
import { runnerOf } from '../fixtures/threads/harness.ts'

type Context = typeof context

interface Line {
  level: number
  msg?: string
  callId?: string
  fn?: string
  [key: string]: unknown
}

const CONTEXT = new URL('../fixtures/threads/context.ts', import.meta.url)

/** A runner, and the lines that its functions wrote. */
function loggingRunner(t: TestContext, level = 'trace'): { runner: Runner<Context>; lines: () => Line[]; all: Line[] } {
  const all: Line[] = []
  const logger = pino({ level, base: null }, { write: (line: string) => void all.push(JSON.parse(line) as Line) })
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1 }, logger })
  return { runner, all, lines: () => all.filter(({ fn, msg }) => fn !== undefined && msg !== 'call failed') }
}

test("a function's lines come out of the runner's logger with its call and its name", async (t) => {
  const { runner, lines } = loggingRunner(t)
  const status = await runner.start('logForms', [], { retain: 60_000 })
  ok(status.finished && status.ok)
  deepEqual(
    lines().map(({ level, callId, fn, msg, rows, part, page }) => [level, callId, fn, msg, rows, part, page]),
    [
      [30, status.id, 'logForms', 'plain', undefined, undefined, undefined],
      [30, status.id, 'logForms', 'with text and 7', undefined, undefined, undefined],
      [30, status.id, 'logForms', 'properties', 3, undefined, undefined],
      [30, status.id, 'logForms', undefined, 4, undefined, undefined],
      [30, status.id, 'logForms', 'bound', undefined, 'a', undefined],
      [30, status.id, 'logForms', 'bound twice', 5, 'a', 2],
    ],
  )
})

test('each line has the level it was written at', async (t) => {
  const { runner, lines } = loggingRunner(t)
  await runner.call('logAll', [])
  deepEqual(
    lines().map(({ level, msg }) => [level, msg]),
    [
      [10, 'a trace'],
      [20, 'a debug'],
      [30, 'an info'],
      [40, 'a warning'],
      [50, 'an error'],
      [60, 'a fatal'],
    ],
  )
})

test("lines below the logger's level are not written", async (t) => {
  const { runner, lines } = loggingRunner(t, 'warn')
  await runner.call('logAll', [])
  deepEqual(
    lines().map(({ level }) => level),
    [40, 50, 60],
  )
})

test('a silent logger gets nothing', async (t) => {
  const { runner, all } = loggingRunner(t, 'silent')
  await runner.call('logAll', [])
  deepEqual(all, [])
})

test('lines of a function come out before its call ends', async (t) => {
  const { runner, lines } = loggingRunner(t)
  await runner.call('logLater', [])
  deepEqual(
    lines().map(({ msg }) => msg),
    ['after an await'],
  )
})

test('errors come out with class, message, code and stack, also from a child', async (t) => {
  const { runner, lines } = loggingRunner(t)
  await runner.call('logErrors', [])
  const errors = lines()
  deepEqual(
    errors.map(({ msg, part }) => [msg, part]),
    [
      ['too much', undefined],
      ['not done', undefined],
      ['as a property', undefined],
      ['bound', 'a'],
    ],
  )
  for (const { type, message, code, limit, stack } of errors.map(({ err }) => err as Record<string, unknown>)) {
    deepEqual([type, message, code, limit], ['QuotaError', 'too much', 'E_QUOTA', 5])
    ok(String(stack).includes('logErrors'), String(stack))
  }
})

test('values that cannot travel are shown, and never come between a function and its end', async (t) => {
  const { runner, lines } = loggingRunner(t)
  deepEqual(await runner.call('logUncloneable', []), [])
  const messages = lines().map(({ msg }) => msg ?? '')
  for (const start of [
    'a function',
    'a function in a list',
    'a function as a value',
    'an error with a function',
    'such an error as a property',
    'a getter that throws',
    'a getter that throws, at the top',
    'bound',
  ]) {
    ok(
      messages.some((message) => message.startsWith(start)),
      `no line "${start}" among ${JSON.stringify(messages)}`,
    )
  }
  const first = lines().find(({ msg }) => msg === 'a function')
  equal(first?.['rows'], 3)
  ok(String(first?.['save']).includes('unction'), `save is shown as ${String(first?.['save'])}`)
})

test('what a call logs after its end is not written as if by another', async (t) => {
  const { runner, lines } = loggingRunner(t)
  await runner.call('keepCall', [])
  await runner.call('useKept', [])
  deepEqual(lines(), [])
})
