import { deepEqual, equal, match, notEqual, ok, throws } from 'node:assert/strict'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import {
  FUNCTIONS,
  MEGABYTE,
  needsLinux,
  needsRoot,
  processRunner,
  signposts,
} from '../../fixtures/processes/harness.ts'
import { createRunner, type FunctionOptions } from '../../../src/index.ts'
import { until } from '../../helpers/latch.ts'

test('the environment of a process is empty but for what it needs and what it is given', needsLinux, async (t) => {
  process.env['COATCHECK_TEST_SECRET'] = 'for the host alone'
  t.after(() => {
    delete process.env['COATCHECK_TEST_SECRET']
  })
  const runner = processRunner(t, { define: { surroundings: { env: { GIVEN: 'given', TZ: 'Asia/Tokyo' } } } })
  const { env } = await runner.call('surroundings', [])
  const allowed = new Set(['PATH', 'TZ', 'LANG', 'TMPDIR', 'COATCHECK_CHILD', 'GIVEN'])
  deepEqual(
    Object.keys(env).filter((key) => !allowed.has(key)),
    [],
  )
  deepEqual([env['GIVEN'], env['TZ'], env['PATH']], ['given', 'Asia/Tokyo', process.env['PATH']])
})

test('what changes the code of a process is not let in by its environment', (t) => {
  for (const key of ['NODE_OPTIONS', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'DYLD_INSERT_LIBRARIES', 'TMPDIR']) {
    throws(() => processRunner(t, { define: { add: { env: { [key]: 'x' } } } }), { message: new RegExp(`env.${key}`) })
  }
})

test('each process has a folder of its own for temporary files, which is removed after it', needsLinux, async (t) => {
  const runner = processRunner(t)
  const [first, second] = [await runner.call('keepFile', [10]), await runner.call('keepFile', [10])]
  notEqual(dirname(first), dirname(second))
  await until('both gone', () => !existsSync(dirname(first)) && !existsSync(dirname(second)))
})

test(
  'a process begins in the folder that it is given, with the Node options that it is given',
  needsLinux,
  async (t) => {
    const { folder } = signposts(t)
    const runner = processRunner(t, { define: { surroundings: { cwd: folder, execArgv: ['--no-warnings'] } } })
    const { cwd, execArgv } = await runner.call('surroundings', [])
    deepEqual([cwd, execArgv], [folder, ['--no-warnings']])
  },
)

test('a process runs as another user, in no groups of the host, and has its folder', needsRoot, async (t) => {
  const runner = processRunner(t, {
    define: { surroundings: { uid: 65_534, gid: 65_533 }, keepFile: { uid: 65_534, gid: 65_533 } },
  })
  const { uid, gid, groups } = await runner.call('surroundings', [])
  deepEqual([uid, gid, groups], [65_534, 65_533, [65_533]])
  const path = await runner.call('keepFile', [10])
  await until('it to be gone', () => !existsSync(path))
})

test('a process has no more open files and writes no larger ones than it may', needsLinux, async (t) => {
  const runner = processRunner(t, { define: { surroundings: { openFiles: 64 }, keepFile: { fileSize: 1_000 } } })
  const { limits, openFiles } = await runner.call('surroundings', [])
  match(limits, /^Max open files\s+64\s+64\s/m)
  ok(openFiles < 32, `${openFiles} are open from the beginning`)
  ok(await runner.call('keepFile', [1_000]))
  const status = await runner.start('keepFile', [1_001], { timeout: Infinity })
  ok(status.finished && !status.ok)
  equal((status.error.cause as NodeJS.ErrnoException).code, 'EFBIG')
})

test('the heap of a function with memory may be of that size', needsLinux, async (t) => {
  const heapLimitWith = async (options: FunctionOptions): Promise<number> =>
    processRunner(t, { processes: { spares: 0 }, define: { heapLimit: options } }).call('heapLimit', [])
  // With what V8 adds for what is young.
  for (const [memory, megabytes] of [
    [128 * MEGABYTE, 128],
    [401 * MEGABYTE - 1, 400],
  ] as const) {
    const flag = `--max-old-space-size=${megabytes}`
    equal(await heapLimitWith({ memory }), await heapLimitWith({ execArgv: [flag] }), flag)
  }
  notEqual(await heapLimitWith({ memory: 128 * MEGABYTE }), await heapLimitWith({}))
})

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

test(
  'with permissions a process reads its package and writes its own folder, and that is all',
  needsLinux,
  async (t) => {
    const permissions = { permissions: true }
    const define = { keepFile: permissions, read: permissions, write: permissions, startProgram: permissions }
    const runner = processRunner(t, { define })
    ok(await runner.call('keepFile', [10]))
    match(await runner.call('read', [new URL('../../../package.json', import.meta.url).pathname]), /coatcheck/)
    const path = signposts(t).path()
    writeFileSync(path, 'secret')
    equal(await codeOf(runner.call('read', [path])), 'ERR_ACCESS_DENIED')
    equal(await codeOf(runner.call('write', [path, 'x'])), 'ERR_ACCESS_DENIED')
    equal(await codeOf(runner.call('startProgram', [])), 'ERR_ACCESS_DENIED')
  },
)

test('permissions that are given hold', needsLinux, async (t) => {
  const { folder } = signposts(t)
  const permissions = { read: [`${folder}/*`], write: [`${folder}/*`], childProcess: true }
  const define = { read: { permissions }, write: { permissions }, startProgram: { permissions } }
  const runner = processRunner(t, { define })
  equal(await runner.call('write', [`${folder}/file`, 'text']), 'written')
  equal(await runner.call('read', [`${folder}/file`]), 'text')
  equal(await runner.call('startProgram', []), 'ended')
  equal(statSync(`${folder}/file`).size, 4)
})

test('a limit that cannot be enforced here is an error when the runner is made', (t) => {
  const make = (options: FunctionOptions): void => {
    createRunner({ functions: FUNCTIONS, define: { add: { isolation: 'process', ...options } } })
  }
  const real = { getuid: process.getuid, platform: process.platform }
  t.after(() => {
    Object.defineProperty(process, 'getuid', { value: real.getuid, configurable: true })
    Object.defineProperty(process, 'platform', { value: real.platform })
  })
  Object.defineProperty(process, 'getuid', { value: () => 1_000, configurable: true })
  throws(() => make({ uid: 5 }), /define\.add\.uid needs a process that runs as root/)
  throws(() => make({ gid: 5 }), /define\.add\.gid needs a process that runs as root/)
  Object.defineProperty(process, 'platform', { value: 'darwin' })
  throws(() => make({ memory: 128 * MEGABYTE }), /define\.add\.memory is watched in \/proc/)
  throws(() => make({ cpuTime: 100 }), /define\.add\.cpuTime is watched in \/proc/)
})
