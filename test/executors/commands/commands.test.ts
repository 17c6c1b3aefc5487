import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import type { Runner, RunnerOptions } from '../../../src/index.ts'
import { monotonicNow } from '../../../src/model/clock.ts'
import {
  childrenOf,
  failure,
  failureOf,
  FUNCTIONS,
  isAlive,
  isLinux,
  killAfter,
  Lines,
  MEGABYTE,
  needsLinux,
  needsRoot,
  ownSpawner,
  pidIn,
  signposts,
  untilGone,
} from '../../fixtures/processes/harness.ts'
import { runnerOf, within } from '../../fixtures/threads/harness.ts'
import { until, type Signposts } from '../../helpers/latch.ts'
import { medianOf } from '../../helpers/median.ts'

const PROGRAM = fileURLToPath(new URL('../../fixtures/processes/command.py', import.meta.url))

type CommandOptions = NonNullable<RunnerOptions['commands']>[string]

interface Commands {
  python(what: string, ...args: unknown[]): unknown
}

interface Echo {
  args: unknown[]
  env: Record<string, string>
  cwd: string
  pid: number
}

function pythonRunner(
  t: TestContext,
  options: Partial<CommandOptions> = {},
  others: Omit<RunnerOptions<Commands>, 'functions' | 'commands'> = {},
): Runner<Commands> {
  const commands = { python: { command: ['python3', PROGRAM] as const, ...options } }
  return runnerOf<Commands>(t, { functions: FUNCTIONS, commands, ...others })
}

type Programs = Record<string, (...args: unknown[]) => unknown>

function runnerFor(t: TestContext, commands: Record<string, CommandOptions>): Runner<Programs> {
  return runnerOf<Programs>(t, { functions: FUNCTIONS, commands })
}

test('a command gets its arguments as JSON, and what it prints as JSON is its value', async (t) => {
  const runner = pythonRunner(t)
  const { id } = await runner.start('python', ['echo', 1, 'ä', { a: [null, true] }], { timeout: 0 })
  const status = await runner.wait<Echo>(id, { timeout: Infinity })
  ok(status.finished && status.ok)
  deepEqual(status.value.args, [1, 'ä', { a: [null, true] }])
})

test('the ID of a command carries the number of its process', async (t) => {
  const runner = pythonRunner(t)
  const trail = signposts(t).trail()
  const { id: first } = await runner.start('python', ['hang', trail.path], { timeout: 0 })
  match(first, new RegExp(`^${process.pid}:`))
  const pid = await pidIn(trail)
  const { id } = (await runner.start('python', ['echo'], { timeout: Infinity, retain: 60_000 })) as { id: string }
  ok(Number(id.split(':')[1]) > 1)
  await runner.cancel(first, { grace: 0 })
  await untilGone(pid)
})

test(
  'a command has its environment, its folder, and a place for temporary files that is removed',
  needsLinux,
  async (t) => {
    const { folder } = signposts(t)
    const runner = pythonRunner(t, { cwd: folder, env: { GIVEN: 'given' } })
    const { env, cwd } = (await runner.call('python', ['echo'])) as Echo
    equal(cwd, folder)
    equal(env['GIVEN'], 'given')
    const allowed = new Set(['PATH', 'TZ', 'LANG', 'TMPDIR', 'COATCHECK_CHILD', 'GIVEN', 'PWD', 'LC_CTYPE'])
    // What the version manager of this machine adds is its own.
    deepEqual(
      Object.keys(env).filter((key) => !allowed.has(key) && !/^(_?PYENV|SHLVL|_$|OLDPWD)/.test(key)),
      [],
    )
    await until('it to be gone', () => !existsSync(env['TMPDIR'] ?? ''))
  },
)

test('a command that ends with a status other than 0 failed, with the status and the last of stderr', async (t) => {
  const lines = new Lines()
  const runner = pythonRunner(t, {}, { logger: pino({}, lines) })
  const error = await failure(runner.call('python', ['fail', 7]), 'WORKER_CRASHED')
  deepEqual([error.exitCode, error.signal, error.stderr], [7, undefined, 'it went wrong\n'])
  await until('the line', () => lines.printed('stderr').includes('it went wrong'))
})

test('a command that prints junk, nothing or too much failed, and the error says that it is not JSON', async (t) => {
  const runner = pythonRunner(t)
  for (const what of ['junk', 'nothing', 'two documents']) {
    const error = await failure(runner.call('python', [what]), 'PROTOCOL_ERROR')
    match(error.message, /not one JSON document/)
    ok(error.cause instanceof SyntaxError)
  }
})

test('a command that hangs is ended at its deadline, by SIGTERM or else by SIGKILL', async (t) => {
  const runner = pythonRunner(t)
  const posts = signposts(t)
  for (const [what, step] of [
    ['hang', 'cooperative'],
    ['ignore SIGTERM', 'killed'],
  ] as const) {
    const trail = posts.trail()
    // On a busy machine Python itself may not have got so far in the first.
    for (let abortAfter = 1_500; trail.read().length === 0; abortAfter *= 4) {
      const { id } = await runner.start('python', [what, trail.path], { timeout: 0, abortAfter, grace: 300 })
      const { step: endedBy } = failureOf(await runner.wait(id, { timeout: Infinity }), 'DEADLINE_EXCEEDED')
      if (trail.read().length > 0) equal(endedBy, step)
    }
    await untilGone(await pidIn(trail))
    if (step === 'killed') ok(trail.read().includes('SIGTERM'))
  }
})

test('a command that is cancelled before it is there is ended as well', async (t) => {
  const runner = pythonRunner(t)
  for (const grace of [0, 60_000]) {
    const { id } = await runner.start('python', ['hang', signposts(t).path()], { timeout: 0 })
    await runner.cancel(id, { grace })
    failureOf(await runner.wait(id, { timeout: Infinity }), 'ABORTED')
  }
  await until('no process', () => runner.stats().processes.size === 0)
})

test('a command that ends well when it is asked to is taken at its word', async (t) => {
  const trail = signposts(t).trail()
  const runner = runnerFor(t, {
    polite: {
      command: ['sh', '-c', 'trap "echo 5; exit 0" TERM; echo $$ >> "$TRAIL"; while :; do sleep 0.01; done'],
      env: { TRAIL: trail.path },
      input: 'none',
    },
  })
  const { id } = await runner.start('polite', [], { timeout: 0 })
  await pidIn(trail)
  await runner.cancel(id, { grace: 60_000 })
  deepEqual(await runner.wait(id, { timeout: Infinity }), { finished: true, ok: true, value: 5, id })
})

test('signals that end a command are told apart', needsLinux, async (t) => {
  const runner = pythonRunner(t)
  for (const signal of ['SIGSEGV', 'SIGKILL', 'SIGABRT']) {
    const error = await failure(runner.call('python', ['crash', signal]), 'WORKER_CRASHED')
    deepEqual([error.signal, error.exitCode], [signal, undefined])
  }
})

test('a program that is not there, or is none, is SPAWN_FAILED with the code of the system', async (t) => {
  const runner = runnerFor(t, {
    missing: { command: ['no-such-program'] },
    path: { command: ['/no/such/program'] },
    folder: { command: ['/tmp'] },
    notExecutable: { command: [PROGRAM] },
  })
  for (const [fn, code] of [
    ['missing', 'ENOENT'],
    ['path', 'ENOENT'],
    ['folder', 'EACCES'],
    ['notExecutable', 'EACCES'],
  ] as const) {
    const error = await failure(runner.call(fn, []), 'SPAWN_FAILED')
    equal((error.cause as NodeJS.ErrnoException).code, code, error.message)
    deepEqual([error.started, error.fn], ['no', fn])
  }
})

test('a command that does not read its input is none the worse for it', async (t) => {
  const runner = runnerFor(t, {
    deaf: { command: ['sh', '-c', 'exec <&-; echo 1'] },
    quick: { command: ['echo', '2'] },
    none: { command: ['cat'], input: 'none', output: 'text' },
  })
  const large = 'x'.repeat(8 * MEGABYTE)
  equal(await runner.call('deaf', [large]), 1)
  equal(await runner.call('quick', [large]), 2)
  equal(await runner.call('none', [large]), '')
})

test('text is given as it is', async (t) => {
  const runner = runnerFor(t, { cat: { command: ['cat'], output: 'text' } })
  const args = ['ä', 'x'.repeat(4 * MEGABYTE)]
  equal(await runner.call('cat', args), JSON.stringify(args))
})

test('arguments that JSON cannot hold are refused before the command begins', async (t) => {
  const runner = runnerFor(t, { cat: { command: ['cat'] } })
  const circular: { self?: unknown } = {}
  circular.self = circular
  for (const arg of [1n, circular]) {
    equal((await failure(runner.call('cat', [arg]), 'NOT_CLONEABLE')).started, 'no')
  }
  deepEqual(await runner.call('cat', [1]), [1])
  equal(runner.stats().processes.busy, 0)
})

test('output above resultLimit ends the command', async (t) => {
  const runner = pythonRunner(t, { resultLimit: 1_000 })
  equal(await runner.call('python', ['print', '1', 10]), 1_111_111_111)
  match((await failure(runner.call('python', ['print', '1', 10_000_000]), 'RESULT_TOO_LARGE')).message, /1000 bytes/)
})

test('noise on stderr breaks nothing', async (t) => {
  const runner = pythonRunner(t)
  equal(await runner.call('python', ['noise', 'x'.repeat(1_000), 20_000]), null)
})

test('a command does not wait for what it has started, and leaves nothing of it behind', needsLinux, async (t) => {
  const runner = pythonRunner(t)
  const other = (await runner.call('python', ['start another'])) as number
  await untilGone(other)
})

test('a command ends within 200 ms of its process, whoever goes on to hold its streams open', needsLinux, async (t) => {
  const runner = pythonRunner(t)
  const posts = signposts(t)
  const took: number[] = []
  for (let i = 0; i < 5; i++) {
    const trail = posts.trail()
    const endedAt = runner.call('python', ['leave streams open', trail.path]).then(monotonicNow)
    const other = await pidIn(trail)
    killAfter(t, other)
    took.push((await within(10_000, endedAt, 'the call does not end')) - Number(trail.read()[1]))
    ok(isAlive(other), 'it holds them still')
  }
  ok(medianOf(took) < 200, `ms: ${took.join(', ')}`)
})

test('limits hold for commands too', needsLinux, async (t) => {
  const runner = runnerFor(t, {
    python: { command: ['python3', PROGRAM], memory: 100 * MEGABYTE, cpuTime: 2_000 },
    limits: { command: ['sh', '-c', 'ulimit -n; ulimit -f'], openFiles: 64, fileSize: 512_000, output: 'text' },
  })
  await failure(runner.call('python', ['fill']), 'OUT_OF_MEMORY')
  equal((await failure(runner.call('python', ['burn']), 'DEADLINE_EXCEEDED')).step, 'killed')
  const [files = '', size = ''] = String(await runner.call('limits', [])).split('\n')
  deepEqual([files, Number(size) > 0], ['64', true])
})

test('a command runs as another user, with the exit status that it has', needsRoot, async (t) => {
  const runner = runnerFor(t, {
    id: { command: ['sh', '-c', 'id -u; id -g; id -G'], uid: 65_534, gid: 65_533, output: 'text' },
    fail: { command: ['sh', '-c', 'exit 9'], uid: 65_534, gid: 65_533 },
    kill: { command: ['sh', '-c', 'kill -SEGV $$'], uid: 65_534, gid: 65_533 },
  })
  equal(await runner.call('id', []), '65534\n65533\n65533\n')
  equal((await failure(runner.call('fail', []), 'WORKER_CRASHED')).exitCode, 9)
  equal((await failure(runner.call('kill', []), 'WORKER_CRASHED')).signal, 'SIGSEGV')
})

test('commands wait in the queue, and no more run at once than there may be', async (t) => {
  const latch = signposts(t).latch()
  const wait = `while [ ! -e ${latch.path} ]; do sleep 0.01; done; echo 1`
  const runner = runnerOf<Programs>(t, {
    functions: FUNCTIONS,
    processes: { max: 2 },
    commands: { wait: { command: ['sh', '-c', wait], input: 'none' } },
  })
  const calls = Array.from({ length: 5 }, () => runner.call('wait', []))
  await until('two', () => runner.stats().calls.running === 2)
  deepEqual([runner.stats().calls.queued, runner.stats().processes.busy], [3, 2])
  latch.open()
  deepEqual(await Promise.all(calls), [1, 1, 1, 1, 1])
})

test('close with abort ends commands', async (t) => {
  const runner = pythonRunner(t)
  const trail = signposts(t).trail()
  const { id } = await runner.start('python', ['hang', trail.path], { timeout: 0 })
  const pid = await pidIn(trail)
  await runner.close({ abort: true })
  failureOf(await runner.wait(id), 'ABORTED')
  ok(!isAlive(pid))
})

/** An executable file of that text. */
function programOf(posts: Signposts, text: string): string {
  const path = posts.path()
  writeFileSync(path, text)
  chmodSync(path, 0o755)
  return path
}

test('a script whose interpreter is not there, or is no program, is SPAWN_FAILED: also with limits', async (t) => {
  const posts = signposts(t)
  const notExecutable = posts.path()
  writeFileSync(notExecutable, '')
  const missing = programOf(posts, '#!/no/such/interpreter\n')
  const runner = runnerFor(t, {
    missing: { command: [missing] },
    nested: { command: [programOf(posts, `#!${missing}\n`)] },
    none: { command: [programOf(posts, `#!${notExecutable}\n`)] },
    ...(isLinux && { limited: { command: [missing], openFiles: 64 } }),
  })
  for (const [fn, code] of Object.entries({ missing: 'ENOENT', nested: 'ENOENT', none: 'EACCES', limited: 'ENOENT' })) {
    if (!isLinux && fn === 'limited') continue
    const error = await failure(runner.call(fn, []), 'SPAWN_FAILED')
    equal((error.cause as NodeJS.ErrnoException).code, code, error.message)
    deepEqual([error.started, error.retryable, error.exitCode], ['no', true, undefined])
  }
})

test('a command that itself ends with the status of a failed start has begun', needsLinux, async (t) => {
  const posts = signposts(t)
  const runner = runnerFor(t, {
    exit127: { command: ['sh', '-c', 'exit 127'] },
    exit126: { command: ['sh', '-c', 'exit 126'] },
    shell: { command: ['sh', '-c', 'no-such-program'] },
    // What it says is what would be said of itself.
    again: {
      command: [programOf(posts, '#!/bin/sh\necho "setpriv: failed to execute $0: Permission denied" >&2; exit 126\n')],
    },
    tool: { command: ['setpriv', '--', '/no/such/program'], openFiles: 64 },
  })
  for (const [fn, code] of Object.entries({ exit127: 127, exit126: 126, shell: 127, again: 126, tool: 127 })) {
    const error = await failure(runner.call(fn, []), 'WORKER_CRASHED')
    deepEqual([error.exitCode, error.started], [code, 'yes'])
  }
})

test(
  'a command whose spawner does not react is SPAWN_FAILED after startTimeout, and never runs',
  needsLinux,
  async (t) => {
    const trail = signposts(t).trail()
    const runner = runnerOf<Programs>(t, {
      functions: FUNCTIONS,
      processes: { startTimeout: 3_000 },
      commands: {
        leave: { command: ['sh', '-c', 'echo ran >> "$TRAIL"'], env: { TRAIL: trail.path }, output: 'text' },
        quick: { command: ['echo', '1'] },
      },
    })
    equal(await runner.call('quick', []), 1)
    const spawner = await ownSpawner()
    process.kill(spawner, 'SIGSTOP')
    const late = runner.start('leave', [], { timeout: Infinity })
    const { id } = await runner.start('leave', [], { timeout: 0 })
    await until('both', () => runner.stats().processes.busy === 2)
    await runner.cancel(id, { grace: 0 })
    equal(failureOf(await runner.wait(id, { timeout: Infinity }), 'ABORTED').step, 'killed')
    const error = failureOf(await within(20_000, late, 'no answer'), 'SPAWN_FAILED')
    match(error.message, /startTimeout, 3000 ms/)
    deepEqual([error.started, error.retryable], ['no', true])
    process.kill(spawner, 'SIGCONT')
    // After those that it was told of before.
    equal(await runner.call('quick', []), 1)
    await until('no process', () => childrenOf(spawner).length === 0)
    deepEqual(trail.read(), [])
  },
)

test('memory that processes of a command share counts once', needsLinux, async (t) => {
  const source = `
import os, sys, time
kept = bytearray(b'x') * (60 * 1024 * 1024)
if any(os.fork() == 0 for _ in range(3)):
    if len(sys.argv) > 1:
        for i in range(0, len(kept), 4096): kept[i] = 1
    time.sleep(1000)
time.sleep(1000 if len(sys.argv) > 1 else 0.5)
print(3)`
  const memory = 150 * MEGABYTE
  const runner = runnerFor(t, {
    shares: { command: ['python3', '-c', source], memory },
    copies: { command: ['python3', '-c', source, 'copies'], memory },
  })
  equal(await runner.call('shares', []), 3)
  await failure(runner.call('copies', []), 'OUT_OF_MEMORY')
})
