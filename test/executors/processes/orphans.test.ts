import { equal, match, ok } from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import {
  childrenOf,
  failure,
  failureOf,
  killAfter,
  markOf,
  moduleOf,
  needsLinux,
  needsRoot,
  ownSpawner,
  pidIn,
  processRunner,
  signposts,
  spawnersOf,
  untilGone,
  untilNoneMarked,
} from '../../fixtures/processes/harness.ts'
import { killMarked } from '../../../src/spawner/sweep.ts'
import { runnerOf } from '../../fixtures/threads/harness.ts'
import { startScript, type Child } from '../../helpers/child.ts'
import { until, type Trail } from '../../helpers/latch.ts'

// Nothing survives its host, nor what watches over it.

const HOST = new URL('../../fixtures/processes/scripts/host.ts', import.meta.url)

function startHost(t: TestContext, way: string): { host: Child; trail: Trail } {
  const trail = signposts(t).trail()
  return { host: startScript(t, HOST, [way, trail.path]), trail }
}

interface Below {
  spawner: number
  children: number[]
  /** That of the spawner and of all that it starts. */
  mark: string
}

/** What there is below a host, once its spawner has that many children. */
async function below(t: TestContext, host: Child, expected: number): Promise<Below> {
  const spawner = await until('the spawner', () => spawnersOf(host.pid)[0])
  const mark = markOf(spawner)
  t.after(() => killMarked((each) => each.startsWith(mark)))
  const children = await until('its children', () => {
    const found = childrenOf(spawner)
    return found.length >= expected ? found : undefined
  })
  return { spawner, children: children.map(({ pid }) => pid), mark }
}

/** Also what was started around the kill, which nobody has seen. */
async function untilNothingIsLeft({ spawner, children, mark }: Below, ...others: number[]): Promise<void> {
  for (const each of [spawner, ...children, ...others]) await untilGone(each)
  await untilNoneMarked(mark)
}

for (const way of ['a busy child', 'a child that waits', 'a command']) {
  test(`when a host with ${way} is killed, nothing survives`, needsLinux, async (t) => {
    const { host, trail } = startHost(t, way)
    const pid = await pidIn(trail)
    const all = await below(t, host, 1)
    host.signal('SIGKILL')
    equal((await host.ended).signal, 'SIGKILL')
    await untilNothingIsLeft(all, pid)
  })
}

for (const way of [
  'a child with others in its group',
  'a child with others in sessions of their own',
  'a busy child with others in its group that have no mark',
]) {
  test(`when a host with ${way} is killed, nothing survives`, needsLinux, async (t) => {
    const { host, trail } = startHost(t, way)
    const other = await pidIn(trail)
    killAfter(t, other)
    const all = await below(t, host, 1)
    host.signal('SIGKILL')
    await untilNothingIsLeft(all, other)
  })
}

test('when a host with a child of another user is killed, nothing survives', needsRoot, async (t) => {
  const posts = signposts(t)
  chmodSync(posts.folder, 0o777)
  const trail = posts.trail()
  const host = startScript(t, HOST, ['a child of another user', trail.path])
  const pid = await pidIn(trail)
  const all = await below(t, host, 1)
  host.signal('SIGKILL')
  await untilNothingIsLeft(all, pid)
})

test('when a host is killed while a child imports its module, nothing survives', needsLinux, async (t) => {
  const { host, trail } = startHost(t, 'a module that is being imported')
  const pid = await pidIn(trail)
  const all = await below(t, host, 1)
  host.signal('SIGKILL')
  await untilNothingIsLeft(all, pid)
})

test('when a host is killed while its children start, nothing survives', needsLinux, async (t) => {
  for (let started = 0; started <= 3; started++) {
    const { host } = startHost(t, 'idle spares')
    const all = await below(t, host, started)
    host.signal('SIGKILL')
    await untilNothingIsLeft(all)
  }
})

test('when a host with idle spares is killed, nothing survives', needsLinux, async (t) => {
  const { host } = startHost(t, 'idle spares')
  await host.printed('ready\n')
  const all = await below(t, host, 3)
  host.signal('SIGKILL')
  await untilNothingIsLeft(all)
})

test('when host and spawner are killed together, no child survives', needsLinux, async (t) => {
  const { host, trail } = startHost(t, 'a busy child')
  const pid = await pidIn(trail)
  const all = await below(t, host, 1)
  process.kill(host.pid, 'SIGSTOP')
  process.kill(all.spawner, 'SIGKILL')
  host.signal('SIGKILL')
  await untilNothingIsLeft(all, pid)
})

test(
  'when the spawner is killed, calls have crashed, nothing survives, and the next call works',
  needsLinux,
  async (t) => {
    const posts = signposts(t)
    const runner = processRunner(t, { processes: { max: 8, spares: 3 } })
    await runner.ready()
    const spin = posts.trail()
    const trails = [posts.trail(), posts.trail()]
    const ids = [
      await runner.start('spin', [spin.path], { timeout: 0 }),
      await runner.start('startOther', [trails[0]?.path ?? '', 'in its group', 'hang'], { timeout: 0 }),
      await runner.start('startOther', [trails[1]?.path ?? '', 'in a session of its own', 'hang'], { timeout: 0 }),
    ]
    const pids = await Promise.all([spin, ...trails].map(pidIn))
    const spawner = await ownSpawner()
    const children = childrenOf(spawner).map(({ pid }) => pid)
    ok(children.length >= 3)

    const mark = markOf(spawner)
    process.kill(spawner, 'SIGKILL')
    for (const { id } of ids) {
      const error = failureOf(await runner.wait(id, { timeout: Infinity }), 'WORKER_CRASHED')
      equal(error.started, 'yes')
    }
    for (const each of [...pids, ...children]) await untilGone(each)
    await untilNoneMarked(mark)
    equal(await runner.call('add', [1, 2]), 3)
  },
)

test('a call that is sent to a spare which has just died runs in another', needsLinux, async (t) => {
  const runner = processRunner(t, { processes: { max: 4, spares: 1 } })
  await runner.ready()
  const [spare] = childrenOf(await ownSpawner())
  process.kill(spare?.pid ?? 0, 'SIGKILL')
  equal(await runner.call('add', [1, 2]), 3)
})

test('a call whose function had begun is not run again', needsLinux, async (t) => {
  const runner = processRunner(t)
  const trail = signposts(t).trail()
  const call = runner.call('ignoreSignals', [trail.path])
  process.kill(await pidIn(trail), 'SIGKILL')
  const error = await failure(call, 'WORKER_CRASHED')
  equal(error.started, 'yes')
  equal(error.retryable, false)
  equal(trail.read().length, 1)
})

/** A module that tells that it is being imported, and waits there until it may go on. */
function slowModule(t: TestContext): { functions: URL; imports: Trail; open: () => void } {
  const posts = signposts(t)
  const imports = posts.trail()
  const latch = posts.latch()
  const source = `
    import { appendFileSync, existsSync } from 'node:fs'
    appendFileSync(${JSON.stringify(imports.path)}, process.pid + '\\n')
    while (!existsSync(${JSON.stringify(latch.path)})) await new Promise((resolve) => setTimeout(resolve, 2))
    export const add = (a, b) => a + b`
  return { functions: moduleOf(posts, source), imports, open: () => latch.open() }
}

test('a call whose process was getting ready when the spawner was killed runs in another', needsLinux, async (t) => {
  const { functions, imports, open } = slowModule(t)
  const runner = runnerOf<{ add(a: number, b: number): number }>(t, { functions, isolation: 'process' })
  const sum = runner.call('add', [1, 2])
  await pidIn(imports)
  process.kill(await ownSpawner(), 'SIGKILL')
  open()
  equal(await sum, 3)
})

test('ready waits for another process when the spawner is killed while the only one starts', needsLinux, async (t) => {
  const { functions, imports, open } = slowModule(t)
  const runner = runnerOf<{ add(a: number, b: number): number }>(t, {
    functions,
    isolation: 'process',
    processes: { spares: 0 },
  })
  const ready = runner.ready()
  await pidIn(imports)
  process.kill(await ownSpawner(), 'SIGKILL')
  open()
  await ready
})

test('a call is given up when spawners die again and again before its process is ready', needsLinux, async (t) => {
  const { functions, imports } = slowModule(t)
  // No spares: an import is that of the call's process, and the second one that of the second spawner's.
  const processes = { spares: 0 }
  const runner = runnerOf<{ add(a: number, b: number): number }>(t, { functions, isolation: 'process', processes })
  const sum = failure(runner.call('add', [1, 2]), 'SPAWN_FAILED')
  for (const round of [1, 2]) {
    await until('an import', () => imports.read().length >= round)
    process.kill(await ownSpawner(), 'SIGKILL')
  }
  const error = await sum
  equal(error.started, 'no')
  match(error.message, /the process that starts children has ended/)
})
