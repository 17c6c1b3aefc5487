import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  childrenOf,
  failure,
  FUNCTIONS,
  moduleOf,
  needsLinux,
  needsRoot,
  openDescriptors,
  ownSpawner,
  signposts,
  spawnersOf,
} from '../../fixtures/processes/harness.ts'
import { runnerOf } from '../../fixtures/threads/harness.ts'
import { startScript } from '../../helpers/child.ts'
import { until } from '../../helpers/latch.ts'
import { isShort } from '../../helpers/short.ts'

// What is left of ten thousand calls: nothing.

const HOST = new URL('../../fixtures/processes/scripts/host.ts', import.meta.url)

const isLong = process.env['COATCHECK_LONG_TESTS'] === '1'
const CALLS = isLong ? 10_000 : isShort ? 60 : 300
const FAILED_STARTS = isLong ? 10_000 : isShort ? 200 : 1_000

/** The folder of a spawner. */
function folderOf(spawner: number): string {
  return readFileSync(`/proc/${spawner}/cmdline`, 'utf8').split('\0')[2] ?? ''
}

/** Removes a folder in which others are still making some, as a system's cleaner of temporary files does. */
async function clearAway(folder: string): Promise<void> {
  await until('the end of the folder', () => {
    try {
      rmSync(folder, { recursive: true, force: true })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
      return false
    }
  })
}

/** The folders of children in the folder of the only runner of this process. */
async function foldersOf(): Promise<string[]> {
  const folder = folderOf(await ownSpawner())
  return readdirSync(folder)
    .filter((name) => name.startsWith('tmp-'))
    .map((name) => join(folder, name))
}

// A module that starts as fast as Node does.
const KEEP_FILE = `
  import { writeFileSync } from 'node:fs'
  import { tmpdir } from 'node:os'
  export function keepFile() {
    writeFileSync(tmpdir() + '/kept', 'something')
    return tmpdir()
  }`

test(`${CALLS} calls leave no zombie, no descriptor and no folder behind`, needsLinux, async (t) => {
  const runner = runnerOf<{ keepFile(): string }>(t, {
    functions: moduleOf(signposts(t), KEEP_FILE),
    isolation: 'process',
    processes: { max: 4, spares: 2 },
  })
  const folders = new Set<string>()
  await runner.ready()
  const spawner = await ownSpawner()
  const [own, its] = [openDescriptors(process.pid), openDescriptors(spawner)]
  const side = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      folders.add(await runner.call('keepFile', []))
    }
  }
  await Promise.all([side(CALLS / 2), side(CALLS / 2)])
  equal(folders.size, CALLS)
  await until('the spares alone', () => runner.stats().processes.size === 2)
  await runner.ready()
  for (const path of folders) ok(!existsSync(path), path)
  await until('no zombie', () => childrenOf(spawner).length === 2)
  equal(openDescriptors(process.pid), own)
  equal(openDescriptors(spawner), its)
})

test(`${FAILED_STARTS} starts that fail are typed errors, and leave nothing behind`, needsLinux, async (t) => {
  const runner = runnerOf<Record<'missing' | 'works', () => unknown>>(t, {
    functions: FUNCTIONS,
    processes: { max: 10 },
    commands: { missing: { command: ['/no/such/program'] }, works: { command: ['echo', '1'] } },
  })
  equal(await runner.call('works', []), 1)
  const spawner = await ownSpawner()
  await until('no process', () => runner.stats().processes.size === 0)
  const [own, its] = [openDescriptors(process.pid), openDescriptors(spawner)]
  const side = async (): Promise<void> => {
    for (let i = 0; i < FAILED_STARTS / 10; i++) {
      const error = await failure(runner.call('missing', []), 'SPAWN_FAILED')
      deepEqual([error.started, error.retryable, (error.cause as NodeJS.ErrnoException).code], ['no', true, 'ENOENT'])
    }
  }
  await Promise.all(Array.from({ length: 10 }, side))
  await until('no process', () => runner.stats().processes.size === 0)
  await until('its descriptors', () => openDescriptors(spawner) === its)
  await until('our descriptors', () => openDescriptors(process.pid) === own)
  await until('no folder', async () => (await foldersOf()).length === 0)
  equal(await runner.call('works', []), 1)
})

test('a spawner that has no descriptors left is a typed error, and works again when it has', needsLinux, async (t) => {
  const runner = runnerOf<Record<'works', () => unknown>>(t, {
    functions: FUNCTIONS,
    commands: { works: { command: ['echo', '1'] } },
  })
  equal(await runner.call('works', []), 1)
  const spawner = await ownSpawner()
  // A spawner reads /proc for what an ended command has left, with descriptors that are none of the rest's.
  await until('no process', () => runner.stats().processes.size === 0)
  const its = openDescriptors(spawner)
  execFileSync('prlimit', ['--pid', String(spawner), `--nofile=${its + 1}:`])
  const error = await failure(runner.call('works', []), 'SPAWN_FAILED')
  equal((error.cause as NodeJS.ErrnoException).code, 'EMFILE')
  execFileSync('prlimit', ['--pid', String(spawner), '--nofile=1024:'])
  equal(await runner.call('works', []), 1)
  await until('its descriptors', () => openDescriptors(spawner) === its)
})

test(
  'a host that has no descriptors left for streams has typed errors, and its other calls go on',
  needsLinux,
  async (t) => {
    const latch = signposts(t).latch()
    const host = startScript(t, HOST, ['calls until it has no descriptors', latch.path], {
      through: ['prlimit', '--nofile=80'],
    })
    await host.printed('refused\n')
    latch.open()
    const { status, stdout, stderr } = await host.ended
    equal(status, 0, stderr)
    const ends = new Map(JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as [string, number][])
    ok((ends.get('ok') ?? 0) > 0)
    // The spawner has no more than its host.
    for (const how of ends.keys()) match(how, /^(ok|SPAWN_FAILED (ECONNRESET|EMFILE))$/)
    equal(
      [...ends.values()].reduce((sum, each) => sum + each),
      40,
    )
  },
)

const AS_OTHER = ['setpriv', '--reuid', '65533', '--regid', '65533', '--clear-groups', '--']

function limitProcesses(pid: number, count: number): void {
  const [program = '', ...args] = [...AS_OTHER, 'prlimit', '--pid', String(pid), `--nproc=${count}:`]
  execFileSync(program, args)
}

test('a system that has no processes left is a typed error, and works again when it has', needsRoot, async (t) => {
  const posts = signposts(t)
  chmodSync(posts.folder, 0o777)
  const path = posts.path()
  const host = startScript(t, HOST, ['calls each time a file is there', path], {
    through: AS_OTHER,
    env: { TMPDIR: posts.folder },
  })
  await host.printed('ready\n')
  const spawner = await until('the spawner', () => spawnersOf(host.pid)[0])
  limitProcesses(spawner, 1)
  execFileSync('touch', [`${path}-0`])
  await host.printed('call 0: SPAWN_FAILED EAGAIN\n')
  limitProcesses(spawner, 10_000)
  execFileSync('touch', [`${path}-1`])
  await host.printed('call 1: ok\n')
  equal((await host.ended).status, 0)
})

test('other calls go on while what a call has left in its folder is removed', needsLinux, async (t) => {
  const many = 'cd "$TMPDIR" && seq 30000 | xargs touch && printf \'"%s"\' "$TMPDIR"'
  const runner = runnerOf<{ many(): string; works(): number }>(t, {
    functions: FUNCTIONS,
    commands: { many: { command: ['sh', '-c', many] }, works: { command: ['echo', '1'] } },
  })
  const folder = await runner.call('many', [])
  equal(await runner.call('works', []), 1)
  ok(existsSync(folder), 'the folder is gone: nothing went on meanwhile')
  await until('the end of the folder', () => !existsSync(folder))
})

test(
  'calls go on when the folder of their spawner is cleared away, and nothing is left of it',
  needsLinux,
  async (t) => {
    const latch = signposts(t).latch()
    const wait = `while [ ! -e ${latch.path} ]; do sleep 0.01; done; echo 1`
    const runner = runnerOf<Record<'hold' | 'add' | 'wait' | 'quick', (...args: unknown[]) => unknown>>(t, {
      functions: FUNCTIONS,
      isolation: 'process',
      commands: { wait: { command: ['sh', '-c', wait], input: 'none' }, quick: { command: ['echo', '2'] } },
    })
    await runner.ready()
    const before = await ownSpawner()
    const under = [runner.call('wait', []), runner.call('hold', [latch.path, 1])]
    await until('both', () => runner.stats().calls.running === 2)
    await clearAway(folderOf(before))
    deepEqual(await Promise.all([runner.call('quick', []), runner.call('quick', [])]), [2, 2])
    // The first may have a spare of the old one.
    for (let i = 0; i < 3; i++) equal(await runner.call('add', [i, 1]), i + 1)
    equal(spawnersOf(process.pid).length, 2)
    latch.open()
    deepEqual(await Promise.all(under), [1, 1])
    await until('the end of the old spawner', () => !spawnersOf(process.pid).includes(before))
    equal(spawnersOf(process.pid).length, 1)
    equal(await runner.call('quick', []), 2)
  },
)

test('what connects to the runner and is no stream of a child is turned away', needsLinux, async (t) => {
  const runner = runnerOf<{ add(a: number, b: number): number }>(t, { functions: FUNCTIONS, isolation: 'process' })
  await runner.ready()
  const path = join(folderOf(await ownSpawner()), 'socket')
  const own = openDescriptors(process.pid)
  for (const text of ['', 'no line', 'x'.repeat(1_000), 'no number\n', '999999 0\n', '1 99\n']) {
    const socket = connect(path)
    socket.on('error', () => {})
    if (text === '' || text === 'no line') socket.end(text)
    else socket.write(text)
    await once(socket.resume(), 'close')
  }
  await until('our descriptors', () => openDescriptors(process.pid) === own)
  equal(await runner.call('add', [1, 2]), 3)
})

for (const way of ['makes a runner and ends at once', 'makes a runner and crashes at once']) {
  test(`a host that ${way} leaves no folder behind`, async (t) => {
    const { folder } = signposts(t)
    const host = startScript(t, HOST, [way], { env: { TMPDIR: folder } })
    await host.ended
    await until('no folder', () => readdirSync(folder).length === 0)
  })
}
