import { equal, match, ok } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startScript, type ChildEnd } from '../helpers/child.ts'

const SCRIPT = new URL('../fixtures/threads/scripts/exits.ts', import.meta.url)

/** Milliseconds in which a process with nothing left to do ends, on a loaded machine too. */
const SOON = 5_000

async function run(t: TestContext, way: string): Promise<ChildEnd> {
  const end = await startScript(t, SCRIPT, [way]).ended
  equal(end.signal, null, `the process does not end; ${end.stderr}`)
  return end
}

for (const way of [
  'calls and never closes',
  'calls on four threads and never closes',
  'awaits ready and never closes',
  'makes a runner and never uses it',
  'makes a runner that handles signals and never uses it',
  'makes a runner of a broken module and never uses it',
  'keeps calls with long timers and never closes',
]) {
  test(`a process that ${way} ends by itself`, async (t) => {
    const { status, stdout, stderr, took } = await run(t, way)
    equal(status, 0, stderr)
    const last = Number(/last call at ([\d.]+)/.exec(stdout)?.[1])
    ok(took - last < SOON, `it ended ${took - last} ms after its last call`)
  })
}

for (const way of [
  'makes a runner and closes it at once',
  'calls and closes',
  'closes with idle threads',
  'closes while threads start',
  'closes with abort while threads start',
  'closes after a kill',
  'closes with kept calls and long timers',
]) {
  test(`a process that ${way} ends by itself`, async (t) => {
    const { status, stdout, stderr, took } = await run(t, way)
    equal(status, 0, stderr)
    const closed = Number(/closed at ([\d.]+)/.exec(stdout)?.[1])
    ok(took - closed < SOON, `it ended ${took - closed} ms after close()`)
  })
}

test('a process stays alive while a call that nobody waits for is under way', async (t) => {
  const { status, stdout } = await run(t, 'leaves a call behind')
  equal(status, 0)
  equal(stdout, 'answered false\nfinished blockFor true\n')
})

test('a process stays alive while a call that nobody waits for is in the queue', async (t) => {
  const { status, stdout } = await run(t, 'leaves a queued call behind')
  equal(status, 0)
  equal(stdout, 'finished blockFor true\nfinished add true\n')
})

const LINES = Array.from({ length: 100 }, (_, i) => `line ${i}\n`)
  .join('')
  .repeat(5)

for (const way of ['prints in functions and closes', 'prints in functions and exits by itself']) {
  test(`nothing that functions print is lost when a process ${way}`, async (t) => {
    const { status, stdout } = await run(t, way)
    equal(status, 0)
    equal(stdout, LINES)
  })
}

test('a listener that throws is an uncaught exception, and harms no call', async (t) => {
  const { status, stdout } = await run(t, 'has a listener that throws')
  equal(status, 0)
  // At each of 100 calls' three events, and at the one when all were done.
  equal(stdout, 'values true\nuncaught 301\n')
})

test('a listener that throws ends a process that does not catch it, as any exception does', async (t) => {
  const { status, stderr } = await run(t, 'has a listener that throws, and nobody to catch it')
  equal(status, 1)
  match(stderr, /thrown by a listener/)
})

test('without handleSignals a runner listens to no signals', async (t) => {
  const { stdout } = await run(t, 'listens to nothing')
  equal(stdout, 'during true\nafter true\n')
})

test('the process listens to each signal once for all runners, until the last is closed', async (t) => {
  const { stdout } = await run(t, 'stops listening when it is closed')
  equal(stdout, 'both 1,1\none 1,1\nnone 0,0\n')
})
