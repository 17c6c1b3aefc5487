import { deepEqual, equal, ok } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { createRunner, type Runner, type RunnerOptions } from '../../../src/index.ts'
import type * as context from '../../fixtures/threads/context.ts'
import { endOf, eventually, runnerOf, within } from '../../fixtures/threads/harness.ts'
import { createLatch, openLatch } from '../../fixtures/threads/latch.ts'

// Functions that report faster than anybody can hear it.

type Context = typeof context

const CONTEXT = new URL('../../fixtures/threads/context.ts', import.meta.url)

function contextRunner(t: TestContext, options: Partial<RunnerOptions<Context>> = {}): Runner<Context> {
  return runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1 }, ...options })
}

/** As a listener that has something to do. */
function busyFor(microseconds: number): void {
  const until = performance.now() + microseconds / 1_000
  while (performance.now() < until);
}

for (const fn of ['floodProgress', 'floodLog'] as const) {
  test(`${fn}: waits are answered in time meanwhile, and the call can be killed`, async (t) => {
    const logger = pino({ level: 'info' }, { write: () => busyFor(20) })
    const runner = contextRunner(t, { logger })
    runner.on('progress', () => busyFor(20))
    await runner.ready()
    const { id } = await runner.start(fn, [], { timeout: 0 })
    for (let i = 0; i < 5; i++) {
      const status = await within(10_000, runner.wait(id, { timeout: 20 }), 'the wait is not answered')
      equal(status.finished, false)
    }
    await runner.cancel(id, { grace: 0 })
    const end = await within(10_000, runner.wait(id), 'the call is not killed')
    ok(end.finished && !end.ok)
    equal(end.error.step, 'killed')
  })
}

test('progress that comes too fast is thinned out: what is told is in order, and the last one is told', async (t) => {
  const runner = contextRunner(t)
  const told: number[] = []
  runner.on('progress', ({ progress }) => told.push(progress as number))
  await runner.call('reportMany', [100_000])
  equal(told.at(-1), 100_000)
  deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  )
})

test('progress that was held back is told before the end of the call when there is time', async (t) => {
  const runner = contextRunner(t)
  const release = createLatch()
  const { id } = await runner.start('reportManyAndHold', [100_000, release], { timeout: 0 })
  let last: unknown
  runner.on('progress', ({ progress }) => (last = progress))
  await eventually(() => last === 100_000, 'the last report is not told')
  openLatch(release)
  await runner.wait(id)
})

test('a function that logs too fast waits, and no line is lost', async (t) => {
  const lines: number[] = []
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push((JSON.parse(line) as { i: number }).i) })
  const runner = contextRunner(t, { logger })
  await within(30_000, runner.call('logMany', [5_000]), 'the call does not end')
  deepEqual(
    lines,
    Array.from({ length: 5_000 }, (_, i) => i + 1),
  )
})

test('a runner closes although a function logs without a pause', async () => {
  const logger = pino({ level: 'info' }, { write: () => busyFor(20) })
  const runner = createRunner<Context>({ functions: CONTEXT, threads: { max: 1 }, logger })
  const call = endOf(runner.call('floodLog', []))
  await runner.ready()
  await within(10_000, runner.close({ abort: true, grace: 0 }), 'the runner does not close')
  ok('error' in (await call))
})
