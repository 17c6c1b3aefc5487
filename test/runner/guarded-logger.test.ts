import { deepEqual, equal, throws } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Logger } from 'pino'
import { pino } from 'pino'
import { guardedLogger } from '../../src/runner/guarded-logger.ts'

/** What would be uncaught exceptions. */
function catchNextTicks(t: TestContext): (() => void)[] {
  const ticks: (() => void)[] = []
  t.mock.method(process, 'nextTick', (tick: () => void) => ticks.push(tick))
  return ticks
}

test('lines go to the logger with what they were given', () => {
  const lines: unknown[] = []
  const logger = pino(
    { level: 'debug', base: null, timestamp: false },
    { write: (line) => lines.push(JSON.parse(line)) },
  )
  const guarded = guardedLogger(logger)
  guarded.debug({ a: 1 }, 'a line')
  guarded.trace('below the level')
  guarded.child({ fn: 'add' }).warn('of a child')
  deepEqual(lines, [
    { level: 20, a: 1, msg: 'a line' },
    { level: 40, fn: 'add', msg: 'of a child' },
  ])
  deepEqual([guarded.isLevelEnabled('debug'), guarded.isLevelEnabled('trace')], [true, false])
})

test('what a logger throws is an exception that nobody catches, and comes between nothing', (t) => {
  const broken = (): never => {
    throw new Error('the logger is broken')
  }
  const logger = Object.fromEntries(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'child', 'isLevelEnabled'].map((name) => [name, broken]),
  )
  const ticks = catchNextTicks(t)
  const guarded = guardedLogger(logger as unknown as Logger)
  guarded.debug('a line')
  guarded.child({ a: 1 }).warn('of a child')
  equal(guarded.isLevelEnabled('warn'), false)
  equal(ticks.length, 4)
  for (const tick of ticks) throws(tick, /the logger is broken/)
})

test('without a logger no line goes anywhere, and no level is worth one', () => {
  const guarded = guardedLogger(undefined)
  equal(guarded.child({ fn: 'add' }).warn('to nobody'), undefined)
  deepEqual([guarded.isLevelEnabled('fatal'), guarded.child({}).isLevelEnabled('fatal')], [false, false])
})
