import { deepEqual, equal, ok } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import type { Runner } from '../../../src/index.ts'
import { awaitLatch, createLatch, openLatch } from '../../fixtures/threads/latch.ts'
import { endOf, eventually, FUNCTIONS, runnerOf, within, type Functions } from '../../fixtures/threads/harness.ts'
import { startScript } from '../../helpers/child.ts'

const DEBUG = 20
const WARN = 40

interface Line {
  level: number
  msg: string
  threadId?: number
  fn?: string
  err?: { message: string }
}

interface SetUp {
  runner: Runner<Functions>
  /** The lines with that message, which are awaited. */
  lines: (msg: string, count?: number) => Promise<Line[]>
  all: Line[]
}

/** A runner of one thread, and all that it logs. */
function loggingRunner(t: TestContext, functions = FUNCTIONS): SetUp {
  const all: Line[] = []
  const logger = pino(
    { level: 'debug', base: null },
    { write: (line: string) => void all.push(JSON.parse(line) as Line) },
  )
  const runner = runnerOf<Functions>(t, { functions, threads: { min: 0, max: 1 }, logger })
  const lines = async (msg: string, count = 1): Promise<Line[]> => {
    const found = (): Line[] => all.filter((line) => line.msg === msg)
    await eventually(() => found().length >= count, `"${msg}" is not logged`)
    return found()
  }
  return { runner, lines, all }
}

test('a runner and its thread tell of their life at debug, and of nothing else', async (t) => {
  const { runner, lines, all } = loggingRunner(t)
  const threadId = await runner.call('thread', [])
  await lines('thread idle')
  await runner.close()
  deepEqual(
    all.map(({ level, msg, threadId: shown }) => [level, msg, shown]),
    [
      [DEBUG, 'thread ready', threadId],
      [DEBUG, 'thread idle', threadId],
      [DEBUG, 'runner closing', undefined],
      [DEBUG, 'runner closed', undefined],
    ],
  )
})

test('a thread that is killed is told of at debug, with the function that it was killed for', async (t) => {
  const { runner, lines, all } = loggingRunner(t)
  const threadId = await runner.call('thread', [])
  const started = createLatch()
  const aborter = new AbortController()
  const call = endOf(runner.call('spin', [started], { signal: aborter.signal, grace: 0 }))
  await awaitLatch(started)
  aborter.abort()
  await within(10_000, call, 'a call does not end')
  const [killed] = await lines('thread killed')
  deepEqual([killed?.level, killed?.threadId, killed?.fn], [DEBUG, threadId, 'spin'])
  // Another one takes its place.
  await runner.call('thread', [])
  deepEqual(warningsOf(all), ['call failed'])
  equal(all.filter(({ msg }) => msg === 'thread killed').length, 1)
  equal(all.filter(({ msg }) => msg === 'thread crashed').length, 0)
})

test('a thread that crashes under a call is told of at debug: of the call there is a line already', async (t) => {
  const { runner, lines, all } = loggingRunner(t)
  const threadId = await runner.call('thread', [])
  await endOf(runner.call('exit', [5]))
  const [crashed, ...more] = await lines('thread crashed')
  deepEqual([crashed?.level, crashed?.threadId, more], [DEBUG, threadId, []])
  ok(crashed?.err?.message, 'the line says why')
  deepEqual(warningsOf(all), ['call failed'])
})

test('a thread that crashes when no call runs is told of at warn: nothing else tells of it', async (t) => {
  const { runner, lines, all } = loggingRunner(t)
  const threadId = await runner.call('thread', [])
  await runner.call('throwAfterwards', [0])
  const [crashed, ...more] = await lines('thread crashed')
  deepEqual([crashed?.level, crashed?.threadId, more], [WARN, threadId, []])
  equal(crashed?.err?.message, 'thrown when no call ran')
  deepEqual(warningsOf(all), ['thread crashed'])
})

test('a thread that does not start is told of at warn, and why', async (t) => {
  const { runner, lines, all } = loggingRunner(t, new URL('../../fixtures/threads/scripts/broken.js', import.meta.url))
  ok('error' in (await within(10_000, endOf(runner.ready()), 'ready() does not settle')))
  const [failed, ...more] = await lines('thread did not start')
  deepEqual([failed?.level, more], [WARN, []])
  ok(failed?.err?.message, 'the line says why')
  deepEqual(warningsOf(all), ['thread did not start'])
})

test('calls that run and go well leave no line', async (t) => {
  const { runner, all } = loggingRunner(t)
  await runner.ready()
  const before = all.length
  const [started, release] = [createLatch(), createLatch()]
  const held = runner.call('hold', [started, release])
  await awaitLatch(started)
  openLatch(release)
  await held
  await Promise.all(Array.from({ length: 50 }, (_, i) => runner.call('add', [i, 1])))
  equal(all.length, before)
})

function warningsOf(lines: readonly Line[]): string[] {
  return lines.filter(({ level }) => level >= WARN).map(({ msg }) => msg)
}

test('for a runner without a logger, pino is not loaded', async (t) => {
  const script = new URL('../../fixtures/threads/scripts/loaded.ts', import.meta.url)
  const { stdout, stderr } = await startScript(t, script).ended
  equal(stderr, '')
  const loaded = JSON.parse(stdout) as string[]
  deepEqual([loaded.includes('piscina'), loaded.filter((name) => name.includes('pino'))], [true, []])
})
