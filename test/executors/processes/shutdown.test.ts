import { deepEqual, equal, ok } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  failureOf,
  isAlive,
  needsLinux,
  ownSpawner,
  pidIn,
  processRunner,
  signposts,
  spawnersOf,
  untilGone,
} from '../../fixtures/processes/harness.ts'
import { startScript } from '../../helpers/child.ts'
import { until } from '../../helpers/latch.ts'

const HOST = new URL('../../fixtures/processes/scripts/host.ts', import.meta.url)

test('SIGTERM to a host with ten children gives it to each, waits for all, and ends the host as it would have', async (t) => {
  const path = signposts(t).path()
  const host = startScript(t, HOST, ['ten children', path])
  const trails = Array.from({ length: 10 }, (_, i) => ({
    read: () => readFileSync(`${path}-${i}`, { encoding: 'utf8', flag: 'a+' }).split('\n'),
  }))
  const pids = await Promise.all(trails.map(pidIn))
  host.signal('SIGTERM')
  const { status, signal, stdout, stderr } = await host.ended
  deepEqual([status, signal], [null, 'SIGTERM'], stderr)
  for (const trail of trails) equal(trail.read()[1], 'SIGTERM')
  for (const pid of pids) ok(!isAlive(pid))
  const finished = stdout.split('\n').filter((line) => line.startsWith('finished'))
  deepEqual(
    finished,
    Array.from({ length: 10 }, () => 'finished endOnSignal ABORTED cooperative'),
  )
})

test('close with abort sends SIGTERM to every process and kills those that go on after their grace', async (t) => {
  const runner = processRunner(t, { processes: { max: 4 } })
  const posts = signposts(t)
  const [polite, deaf] = [posts.trail(), posts.trail()]
  const calls = [
    await runner.start('endOnSignal', [polite.path, 0], { timeout: 0 }),
    await runner.start('ignoreSignals', [deaf.path], { timeout: 0 }),
  ]
  const pids = [await pidIn(polite), await pidIn(deaf)]
  await runner.close({ abort: true, grace: 500 })
  const ends = await Promise.all(calls.map(({ id }) => runner.wait(id)))
  deepEqual(
    ends.map((status) => failureOf(status, 'ABORTED').step),
    ['cooperative', 'killed'],
  )
  for (const trail of [polite, deaf]) ok(trail.read().includes('SIGTERM'))
  for (const pid of pids) ok(!isAlive(pid))
})

test('close lets calls end, and ends spares, starting ones too', needsLinux, async (t) => {
  const runner = processRunner(t, { processes: { spares: 3 } })
  const call = runner.call('wait', [200, 'done'])
  await until('it runs', () => runner.stats().processes.busy === 1)
  const spawner = await ownSpawner()
  await runner.close()
  equal(await call, 'done')
  ok(!isAlive(spawner))
  equal(runner.stats().processes.size, 0)
})

test('a runner that was just made closes', needsLinux, async (t) => {
  const runner = processRunner(t, { processes: { spares: 3 } })
  await runner.close()
  deepEqual(spawnersOf(process.pid), [])
})

for (const way of [
  'makes a runner and never uses it',
  'awaits ready and never closes',
  'calls and never closes',
  'calls with reuse and never closes',
  'calls and closes',
  'makes a runner and closes it at once',
]) {
  test(`a host that ${way} ends by itself, and nothing is left of it`, needsLinux, async (t) => {
    const { folder } = signposts(t)
    const host = startScript(t, HOST, [way], { env: { TMPDIR: folder } })
    const spawner = await Promise.race([until('the spawner', () => spawnersOf(host.pid)[0]), host.ended.then(() => 0)])
    const { status, signal, stdout, stderr, took } = await host.ended
    deepEqual([status, signal], [0, null], stderr)
    const last = Number(/last call at ([\d.]+)/.exec(stdout)?.[1])
    ok(took - last < 5_000, `it ended ${took - last} ms after its last call`)
    if (spawner !== 0) await untilGone(spawner)
    await until('an empty folder', () => readdirSync(folder).length === 0)
  })
}

test('a host stays while a call that nobody waits for is under way', async (t) => {
  const { status, stdout } = await startScript(t, HOST, ['leaves a call behind']).ended
  equal(status, 0)
  ok(stdout.endsWith('finished wait true\n'), stdout)
})
