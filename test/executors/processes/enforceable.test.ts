import { doesNotThrow, throws } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkEnforceable, type Machine } from '../../../src/executors/processes/enforceable.ts'
import type { RunnerOptions } from '../../../src/index.ts'
import { resolveOptions } from '../../../src/model/options.ts'
import type { ChildOptions } from '../../../src/model/process-options.ts'
import { FUNCTIONS, MEGABYTE } from '../../fixtures/processes/harness.ts'

/** Everything can be done there. */
const able: Machine = {
  platform: 'linux',
  isRoot: true,
  hasPermissionModel: true,
  restrictsNetwork: true,
  hardLimit: () => 1_000,
  findTool: (name) => `/usr/bin/${name}`,
}

const withoutPrlimit: Machine = {
  ...able,
  findTool: (name) => (name === 'prlimit' ? undefined : able.findTool(name)),
}

const every: ChildOptions = {
  memory: 200 * MEGABYTE,
  cpuTime: 100,
  openFiles: 64,
  fileSize: 1_000,
  uid: 5,
  gid: 6,
}

function check(options: Omit<RunnerOptions, 'functions'>, machine: Machine): void {
  checkEnforceable(resolveOptions({ functions: FUNCTIONS, ...options }), machine)
}

/** Asserts that an option is refused on a machine, for a function as for a command. */
function refused(option: ChildOptions, machine: Machine, why: string): void {
  const [key] = Object.keys(option)
  const define = { add: { isolation: 'process' as const, ...option } }
  throws(() => check({ define }, machine), { message: `define.add.${key} ${why}` })
  const commands = { sleep: { command: ['sleep', '1'] as const, ...option } }
  throws(() => check({ commands }, machine), { message: `commands.sleep.${key} ${why}` })
}

describe('a limit that cannot be enforced is an error that names it and says what it needs:', () => {
  test('all of them can, where everything is there', () => {
    const define = { add: { isolation: 'process' as const, permissions: true, ...every } }
    doesNotThrow(() => check({ isolation: 'process', define, commands: { a: { command: ['a'], ...every } } }, able))
  })

  test('openFiles and fileSize without prlimit', () => {
    const why = 'needs the program prlimit (of util-linux), which is not there'
    refused({ openFiles: 64 }, withoutPrlimit, why)
    refused({ fileSize: 1_000 }, withoutPrlimit, why)
    // It is needed for nothing else.
    const { openFiles: _openFiles, fileSize: _fileSize, ...others } = every
    doesNotThrow(() => check({ commands: { a: { command: ['a'], ...others } } }, withoutPrlimit))
  })

  test('openFiles and fileSize above the hard limit, but for root', () => {
    const machine = { ...able, isRoot: false }
    const { uid: _uid, gid: _gid, ...others } = every
    doesNotThrow(() => check({ commands: { a: { command: ['a'], ...others } } }, machine))
    refused({ openFiles: 1_001 }, machine, 'must be at most 1000, the hard limit of this process')
    refused({ fileSize: 1_001 }, machine, 'must be at most 1000, the hard limit of this process')
    doesNotThrow(() => check({ commands: { a: { command: ['a'], openFiles: 1_001 } } }, able))
  })

  test('permissions without the network with a Node that does not keep anybody from it', () => {
    const machine = { ...able, restrictsNetwork: false }
    const define = (net?: boolean): Pick<RunnerOptions, 'define'> => ({
      define: { add: { isolation: 'process', permissions: net === undefined ? true : { net } } },
    })
    throws(() => check(define(false), machine), /^Error: define\.add\.permissions\.net: false needs Node 25 or later/)
    for (const net of [undefined, true]) doesNotThrow(() => check(define(net), machine))
    for (const net of [undefined, true, false]) doesNotThrow(() => check(define(net), able))
  })

  test('memory and cpuTime elsewhere than on Linux', () => {
    const why = 'is watched in /proc, which only Linux has; leave it out here'
    for (const platform of ['darwin', 'freebsd'] as const) {
      refused({ memory: 200 * MEGABYTE }, { ...able, platform }, why)
      refused({ cpuTime: 100 }, { ...able, platform }, why)
      const { memory: _memory, cpuTime: _cpuTime, ...others } = every
      doesNotThrow(() => check({ commands: { a: { command: ['a'], ...others } } }, { ...able, platform }))
    }
  })

  test('uid and gid for who is not root', () => {
    const why = 'needs a process that runs as root; this one does not'
    refused({ uid: 5 }, { ...able, isRoot: false }, why)
    refused({ gid: 6 }, { ...able, isRoot: false }, why)
    // Root is a user to be, too.
    refused({ uid: 0 }, { ...able, isRoot: false }, why)
    const { uid: _uid, gid: _gid, ...others } = every
    doesNotThrow(() => check({ commands: { a: { command: ['a'], ...others } } }, { ...able, isRoot: false }))
  })

  test('permissions with a Node that has no permission model', () => {
    const machine = { ...able, hasPermissionModel: false }
    const message = `define.add.permissions needs a Node with the permission model; ${process.version} has none`
    for (const permissions of [true, { read: ['/data/*'] }]) {
      throws(() => check({ define: { add: { isolation: 'process', permissions } } }, machine), { message })
    }
    doesNotThrow(() => check({ define: { add: { isolation: 'process', permissions: false } } }, machine))
  })

  test('any process at all on Windows', () => {
    const windows = { ...able, platform: 'win32' } as const
    const why = 'calls in processes need Linux or macOS'
    throws(() => check({ isolation: 'process' }, windows), { message: `createRunner options: ${why}` })
    throws(() => check({ define: { add: { isolation: 'process' } } }, windows), { message: `define.add: ${why}` })
    throws(() => check({ commands: { a: { command: ['a'] } } }, windows), { message: `commands.a: ${why}` })
    doesNotThrow(() => check({ define: { add: { abortAfter: 5 } } }, windows))
  })
})
