import { deepEqual, equal, ok } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startScript, type Child } from '../helpers/child.ts'

const SCRIPT = new URL('../fixtures/threads/scripts/signals.ts', import.meta.url)

async function ready(t: TestContext, way: string): Promise<Child> {
  const child = startScript(t, SCRIPT, [way])
  await child.printed('ready for signals\n')
  return child
}

/** What was printed after the script was ready, line by line in no order. */
function linesOf(stdout: string): string[] {
  return stdout.slice(stdout.indexOf('ready for signals')).trim().split('\n').slice(1).toSorted()
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`with handleSignals ${signal} aborts the calls, waits for them, and then ends the process as it would have`, async (t) => {
    const child = await ready(t, 'one runner')
    child.signal(signal)
    const end = await child.ended
    deepEqual([end.status, end.signal], [null, signal], end.stderr)
    deepEqual(linesOf(end.stdout), ['a pollAborted ok', 'a untilAborted ok'])
  })

  test(`${signal} closes all runners before the process ends`, async (t) => {
    const child = await ready(t, 'two runners')
    child.signal(signal)
    const end = await child.ended
    deepEqual([end.status, end.signal], [null, signal], end.stderr)
    deepEqual(linesOf(end.stdout), [
      'a pollAborted ok',
      'a untilAborted ok',
      'b add ABORTED queued',
      'b spin ABORTED killed',
    ])
  })

  test(`${signal} kills a busy loop after its grace`, async (t) => {
    const child = await ready(t, 'a busy loop')
    child.signal(signal)
    const end = await child.ended
    deepEqual([end.status, end.signal], [null, signal], end.stderr)
    deepEqual(linesOf(end.stdout), ['a add ABORTED queued', 'a spin ABORTED killed'])
  })

  test(`a second ${signal} ends the process at once`, async (t) => {
    const child = await ready(t, 'a busy loop with much grace')
    child.signal(signal)
    // The first has come in.
    await child.printed('a add ABORTED queued')
    child.signal(signal)
    const end = await child.ended
    deepEqual([end.status, end.signal], [null, signal], end.stderr)
    deepEqual(linesOf(end.stdout), ['a add ABORTED queued'])
    // Long before the grace of a minute is over.
    ok(end.took < 25_000, `it took ${end.took} ms`)
  })

  test(`without handleSignals ${signal} ends the process at once`, async (t) => {
    const child = await ready(t, 'no handling')
    child.signal(signal)
    const end = await child.ended
    deepEqual([end.status, end.signal], [null, signal], end.stderr)
    deepEqual(linesOf(end.stdout), [])
  })

  for (const way of ['an idle runner', 'a closed runner']) {
    test(`${signal} ends a process with ${way} as it would have`, async (t) => {
      const child = await ready(t, way)
      child.signal(signal)
      const end = await child.ended
      deepEqual([end.status, end.signal], [null, signal], end.stderr)
    })
  }
}

test('a process whose application listens too is closed, and ends as the application says', async (t) => {
  const child = await ready(t, 'somebody else listens')
  child.signal('SIGTERM')
  const end = await child.ended
  deepEqual([end.status, end.signal], [3, null], end.stderr)
  deepEqual(linesOf(end.stdout), ['a pollAborted ok', 'a untilAborted ok', 'heard by the application'])
})

test('a signal of the other kind also ends a process that is closing', async (t) => {
  const child = await ready(t, 'a busy loop with much grace')
  child.signal('SIGINT')
  await child.printed('a add ABORTED queued')
  child.signal('SIGTERM')
  const end = await child.ended
  equal(end.signal, 'SIGTERM')
})
