import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { CallError, type Runner } from '../../../src/index.ts'
import {
  failureOf,
  FUNCTIONS,
  needsLinux,
  pidIn,
  processRunner,
  signposts,
  untilGone,
  type Functions,
} from '../../fixtures/processes/harness.ts'
import { endOf, runnerOf, within } from '../../fixtures/threads/harness.ts'

const HUNG = 'the call does not end'

test('a function that is isolated runs in a process of its own, beside others on threads', async (t) => {
  const runner = runnerOf<Functions>(t, {
    functions: FUNCTIONS,
    define: { pid: { isolation: 'process' } },
    commands: { shell: { command: ['sh', '-c', 'echo $$'] } },
  })
  const status = await runner.start('pid', [], { retain: 60_000 })
  ok(status.finished && status.ok)
  notEqual(status.value, process.pid)
  // Its ID says where it ran.
  equal(status.id?.split(':')[1], String(status.value))
  notEqual(await runner.call('pid', []), status.value)
  equal(await runner.call('add', [1, 2]), 3)
  const command = await runner.start('shell' as 'pid', [], { retain: 60_000 })
  ok(command.finished && command.ok)
  equal(command.id?.split(':')[1], String(command.value))
  equal(runner.stats().threads.size, 1)
  ok(runner.stats().processes.size >= 1)
})

test('one limit holds for what waits for threads and what waits for processes, and drain is told for either', async (t) => {
  const latch = signposts(t).latch()
  const runner = runnerOf<Functions>(t, {
    functions: FUNCTIONS,
    define: { hold: { isolation: 'process' } },
    threads: { max: 1 },
    processes: { max: 1 },
    queueLimit: 1,
  })
  const held = [0, 1].map(() => runner.call('hold', [latch.path]))
  // There is room to run on a thread, and none to wait.
  equal(await runner.call('add', [1, 2]), 3)
  const refused = await endOf(runner.call('hold', [latch.path]))
  ok('error' in refused && refused.error instanceof CallError)
  equal(refused.error.code, 'QUEUE_FULL')
  const drained = new Promise<void>((resolve) => runner.once('drain', resolve))
  latch.open()
  await within(20_000, drained, 'drain is not told')
  await Promise.all(held)
})

test('one buffer that is moved by two calls ends neither the runner nor a process', async (t) => {
  const runner = processRunner(t)
  await runner.ready()
  const buffer = new ArrayBuffer(8)
  const calls = [0, 1].map((i) => endOf(runner.call('add', [i, 1], { transfer: [buffer] })))
  for (const end of await within(20_000, Promise.all(calls), HUNG)) ok('value' in end)
  ok(buffer.detached)
})

test('what a function gives its standard input to finds nothing there, and nothing is taken from the channel', async (t) => {
  const runner = processRunner(t, { processes: { max: 1 }, define: { shareStdin: { reuse: 5 }, add: { reuse: 5 } } })
  equal(await within(20_000, runner.call('shareStdin', []), HUNG), false)
  equal(await within(20_000, runner.call('add', [1, 2]), HUNG), 3)
})

test("the signal of a call that was cancelled is not the next one's", async (t) => {
  const reuse = { reuse: 100 }
  const define = { spinUntilAborted: reuse, hold: reuse, countSignals: reuse }
  const runner = processRunner(t, { processes: { max: 1 }, define })
  for (let round = 0; round < 10; round++) {
    const { id } = await runner.start('spinUntilAborted', [], { timeout: 0 })
    await runner.cancel(id)
    const next = runner.call('countSignals', [20])
    await within(20_000, runner.wait(id), HUNG)
    equal(await within(20_000, next, HUNG), 0)
  }
})

/** A runner with one spare, which has gone bad: it is held up until it is let go. */
async function badSpare(t: TestContext): Promise<{ runner: Runner<{ answer(): number }>; pid: number; letGo(): void }> {
  const posts = signposts(t)
  const [goBad, letGo, heldUp] = [posts.latch(), posts.latch(), posts.trail()]
  const runner = runnerOf<{ answer(): number }>(t, {
    functions: new URL('../../fixtures/processes/bad-spare.ts', import.meta.url),
    isolation: 'process',
    processes: { max: 1, spares: 1 },
    define: { answer: { env: { GO_BAD: goBad.path, LET_GO: letGo.path, HELD_UP: heldUp.path } } },
  })
  await runner.ready()
  goBad.open()
  return { runner, pid: await pidIn(heldUp), letGo: () => letGo.open() }
}

test('a call whose process is held up before it begins runs in another', async (t) => {
  const { runner } = await badSpare(t)
  equal(await within(30_000, runner.call('answer', []), HUNG), 42)
})

test('a spare that breaks the rules of its channel is replaced, and no call hears of it', async (t) => {
  const { runner, pid, letGo } = await badSpare(t)
  letGo()
  await untilGone(pid)
  equal(await within(20_000, runner.call('answer', []), HUNG), 42)
})

test('of a call that was sent to a process which then broke the rules nobody knows whether it began', async (t) => {
  const { runner, letGo } = await badSpare(t)
  const { id } = await runner.start('answer', [], { timeout: 0 })
  // It is on its way before the next turn.
  await setImmediate()
  letGo()
  const error = failureOf(await within(20_000, runner.wait(id), HUNG), 'PROTOCOL_ERROR')
  deepEqual([error.started, error.retryable], ['unknown', false])
})

test('a command does not wait for what has left its group and goes on to print', needsLinux, async (t) => {
  const printer = 'while :; do echo 7; sleep 0.01; done'
  const command = ['sh', '-c', `env -i setsid timeout 20 sh -c '${printer}' & echo 1`] as const
  const runner = runnerOf<{ leave(): string }>(t, {
    functions: FUNCTIONS,
    commands: { leave: { command, output: 'text' } },
  })
  const start = performance.now()
  await within(15_000, runner.call('leave', []), HUNG)
  ok(performance.now() - start < 5_000)
})
