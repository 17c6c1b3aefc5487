import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { CallError } from '../../../src/index.ts'
import {
  childrenOf,
  failure,
  moduleOf,
  needsLinux,
  ownSpawner,
  pidIn,
  processRunner,
  signposts,
  untilGone,
} from '../../fixtures/processes/harness.ts'
import { runnerOf } from '../../fixtures/threads/harness.ts'
import { until } from '../../helpers/latch.ts'

interface Uneven {
  add(a: number, b: number): number
}

const UNEVEN = new URL('../../fixtures/processes/uneven-import.ts', import.meta.url)
const NEVER_READY = new URL('../../fixtures/processes/never-ready.ts', import.meta.url)

test('spares are started ahead, take the calls, and are replaced', needsLinux, async (t) => {
  const runner = processRunner(t, { processes: { spares: 2, max: 4 } })
  await runner.ready()
  const before = childrenOf(await ownSpawner()).map(({ pid }) => pid)
  equal(before.length, 2)
  const pid = await runner.call('pid', [])
  ok(before.includes(pid))
  notEqual(await runner.call('pid', []), pid)
  await until('two new spares', async () => {
    const now = childrenOf(await ownSpawner()).map((each) => each.pid)
    return now.length === 2 && now.every((each) => !before.includes(each))
  })
  equal(runner.stats().processes.busy, 0)
})

test('functions with the same options have their spares in common', async (t) => {
  const runner = processRunner(t, {
    define: { add: { env: { A: '1' } }, echo: { env: { A: '1' } }, pid: { reuse: 2 } },
  })
  await runner.ready()
  // Those of add and echo, those of pid, and those of all others.
  equal(runner.stats().processes.size, 3)
})

test('without spares calls run as well, and ready tells whether they can', async (t) => {
  const broken = { functions: moduleOf(signposts(t), 'throw new RangeError("broken")'), processes: { spares: 0 } }
  const cannot = runnerOf(t, { isolation: 'process', ...broken })
  ok((await failure(cannot.ready(), 'SPAWN_FAILED')).cause instanceof RangeError)
  const runner = processRunner(t, { processes: { spares: 0 } })
  await runner.ready()
  await until('no process', () => runner.stats().processes.size === 0)
  equal(await runner.call('add', [1, 2]), 3)
  await until('no process', () => runner.stats().processes.size === 0)
})

test('no more calls run at once than there may be, whatever the spares', async (t) => {
  const posts = signposts(t)
  const latch = posts.latch()
  const runner = processRunner(t, { processes: { max: 2, spares: 4 } })
  await Promise.all(Array.from({ length: 5 }, () => runner.start('hold', [latch.path], { timeout: 0 })))
  await until('two', () => runner.stats().calls.running === 2)
  await runner.ready()
  deepEqual([runner.stats().calls.running, runner.stats().calls.queued], [2, 3])
  latch.open()
})

test('a module that throws once at import costs the calls that waited for it, and the next works', async (t) => {
  const posts = signposts(t)
  const fails = posts.path()
  writeFileSync(fails, '1')
  const runner = runnerOf<Uneven>(t, {
    functions: UNEVEN,
    isolation: 'process',
    define: { add: { env: { FAILS: fails } } },
  })
  const error = await failure(runner.ready(), 'SPAWN_FAILED')
  ok(error.cause instanceof RangeError)
  equal(error.cause.message, 'not ready for this')
  equal(await runner.call('add', [1, 2]), 3)
  await runner.ready()
})

test('a module that cannot be imported is not imported over and over', async (t) => {
  const posts = signposts(t)
  const trail = posts.trail()
  const source = `import { appendFileSync } from 'node:fs'
    appendFileSync(${JSON.stringify(trail.path)}, 'import\\n')
    throw new RangeError('never')
    export function add() {}`
  const runner = runnerOf<Uneven>(t, {
    functions: moduleOf(posts, source),
    isolation: 'process',
    processes: { spares: 2 },
  })
  for (let i = 0; i < 200; i++) {
    const error = await failure(runner.call('add', [1, 2]), 'SPAWN_FAILED')
    deepEqual([error.started, error.retryable], ['no', true])
    ok(error.cause instanceof RangeError)
  }
  ok(trail.read().length < 20, `${trail.read().length} imports`)
})

test('a module that ends its process at import is a failed start, with how it ended', async (t) => {
  const posts = signposts(t)
  const source = `console.error('bad luck'); process.exit(3); export function add() {}`
  const runner = runnerOf<Uneven>(t, { functions: moduleOf(posts, source), isolation: 'process' })
  const { cause } = await failure(runner.call('add', [1, 2]), 'SPAWN_FAILED')
  ok(cause instanceof CallError)
  equal(cause.exitCode, 3)
  match(cause.stderr ?? '', /bad luck/)
})

test(
  'a module that never gets ready fails its calls after startTimeout, and its process is killed',
  needsLinux,
  async (t) => {
    const trail = signposts(t).trail()
    const runner = runnerOf(t, {
      functions: NEVER_READY,
      isolation: 'process',
      processes: { startTimeout: 1_000 },
      define: { never: { env: { TRAIL: trail.path } } },
    })
    const error = await failure(runner.call('never', []), 'SPAWN_FAILED')
    match(error.message, /startTimeout/)
    await untilGone(await pidIn(trail))
  },
)

test('a function that is defined and not exported is a failed start that names it', async (t) => {
  const runner = processRunner(t, { define: { ['addd' as 'add']: { reuse: 2 } } })
  match((await failure(runner.ready(), 'SPAWN_FAILED')).message, /addd/)
})
