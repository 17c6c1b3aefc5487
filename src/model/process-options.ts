import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { checkBoolean, checkInteger, checkObject, checkOptions, checkString, checkStrings, show } from './check.ts'
import { checkDuration } from './timeouts.ts'

/**
 * What a child process may use and be. All of it is for calls that run in a process of their own. `memory` and `cpuTime`
 * are those of the process together with what it has started, but for what has begun a session of its own; `openFiles`
 * and `fileSize` are those of each of them. What they use is looked at several times a second, and what is new among them
 * is looked for once a second at least: more may be used for a moment.
 */
export interface ChildOptions {
  /** Bytes of memory: a limit of the heap where that is Node's, and of what is resident. For a function 134,217,728
   * (128 MiB) or more, for a command 1 or more. Linux. No limit when left out. */
  memory?: number
  /** Milliseconds of processor time of the process, its start included; more than 0. Linux. No limit when left out. */
  cpuTime?: number
  /** File descriptors it may have open; 1 or more. Needs `prlimit`. Default: the system's. */
  openFiles?: number
  /** Bytes of a file that it writes; 0 or more. Needs `prlimit`. No limit when left out. */
  fileSize?: number
  /** The user and the group that it runs as, by number. Needs root. Default: those of this process. */
  uid?: number
  gid?: number
  /** The folder it begins in. Default: that of this process. */
  cwd?: string
  /** Environment variables beside PATH, TZ and LANG. TMPDIR is a folder of its own, removed after it. */
  env?: Record<string, string>
  /** Bytes that the result may have, as it travels; from 1 to 2,000,000,000. Default: `processes.resultLimit`. */
  resultLimit?: number
}

/** How the process of a function is made, with `isolation: 'process'`. */
export interface ProcessOptions extends ChildOptions {
  /** Node options, such as `['--import', './setup.js']`. Default: none. */
  execArgv?: string[]
  /** Turns on Node's permission model. `true`: it may read its module's package and dependencies, and nothing else;
   * but for the network, which Node restricts from version 25 on. Default: `false`. */
  permissions?: boolean | Permissions
  /** Calls that one process serves, one after another; 1 or more. Default: 1. */
  reuse?: number
}

/** What a process may do beside reading its module, under Node's permission model. */
export interface Permissions {
  /** Files and folders (`/data/*`) it may read. */
  read?: string[]
  /** Files and folders it may write, beside its own TMPDIR. */
  write?: string[]
  /** Default of each: `false`. */
  childProcess?: boolean
  worker?: boolean
  addons?: boolean
  /** The network, which Node restricts from version 25 on: where it does not, `false` is refused. Default: `false` where
   * it does. */
  net?: boolean
}

export interface ProcessesOptions {
  /** Calls that may run in processes at once; 1 or more. Default: twice the number of processors. */
  max?: number
  /** Processes that are kept ready for each kind of function; 0 or more. Default: 1. */
  spares?: number
  /** Milliseconds in which a process must have imported the functions module, and a command must have been started; more
   * than 0. Default: 30,000. */
  startTimeout?: number
  /** Bytes that a result may have, as it travels; from 1 to 2,000,000,000. Default: 67,108,864 (64 MiB). */
  resultLimit?: number
}

export interface CommandOptions extends ChildOptions {
  /** The program, by name or path, and its arguments. */
  command: readonly [program: string, ...args: string[]]
  /** What its standard input is: the call's arguments as one JSON document, or nothing. Default: `'json'`. */
  input?: 'json' | 'none'
  /** What its standard output is: one JSON document, or text. Default: `'json'`. */
  output?: 'json' | 'text'
}

export interface ResolvedProcessesOptions {
  max: number
  spares: number
  startTimeout: number
  resultLimit: number
}

interface ResolvedChild {
  limits: {
    memory: number | undefined
    cpuTime: number | undefined
    openFiles: number | undefined
    fileSize: number | undefined
  }
  uid: number | undefined
  gid: number | undefined
  cwd: string | undefined
  env: Record<string, string>
  resultLimit: number
}

export interface ResolvedPermissions {
  read: string[]
  write: string[]
  childProcess: boolean
  worker: boolean
  addons: boolean
  /** Undefined where nobody has asked for either. */
  net: boolean | undefined
}

export interface ResolvedProcess extends ResolvedChild {
  execArgv: string[]
  permissions: ResolvedPermissions | undefined
  reuse: number
}

export interface ResolvedCommand extends ResolvedChild {
  command: readonly string[]
  input: 'json' | 'none'
  output: 'json' | 'text'
}

const DEFAULTS = { spares: 1, startTimeout: 30_000, resultLimit: 67_108_864 }

/** Bytes: Node writes no more than 2 GiB at once, and a result is not all of what travels. */
const MOST_RESULT = 2_000_000_000

/**
 * Bytes: with less, Node itself does not get to run a function for certain. Before its first call a process has 53 MB
 * resident with a small module in JavaScript, and 69 with one in TypeScript; Node 22 has 97 where all of this package is
 * in TypeScript too.
 */
const LEAST_MEMORY = 134_217_728

const CHILD_KEYS = ['memory', 'cpuTime', 'openFiles', 'fileSize', 'uid', 'gid', 'cwd', 'env', 'resultLimit'] as const
export const PROCESS_KEYS = [...CHILD_KEYS, 'execArgv', 'permissions', 'reuse'] as const
export const COMMAND_KEYS = [...CHILD_KEYS, 'command', 'input', 'output'] as const

export function resolveProcesses(given: ProcessesOptions = {}): ResolvedProcessesOptions {
  checkOptions('processes', given, ['max', 'spares', 'startTimeout', 'resultLimit'])
  const { max, spares, startTimeout, resultLimit } = given
  return {
    max: max === undefined ? 2 * availableParallelism() : checkInteger('processes.max', max, 1),
    spares: spares === undefined ? DEFAULTS.spares : checkInteger('processes.spares', spares, 0),
    startTimeout:
      startTimeout === undefined ? DEFAULTS.startTimeout : checkDuration('processes.startTimeout', startTimeout),
    resultLimit:
      resultLimit === undefined
        ? DEFAULTS.resultLimit
        : checkInteger('processes.resultLimit', resultLimit, 1, MOST_RESULT),
  }
}

/** @param where what to call it in messages. */
export function resolveProcess(where: string, given: ProcessOptions, resultLimit: number): ResolvedProcess {
  const { execArgv, permissions, reuse, memory } = given
  if (memory !== undefined) checkInteger(`${where}.memory`, memory, LEAST_MEMORY)
  if (given.cpuTime !== undefined && reuse !== undefined && reuse > 1) {
    throw new TypeError(`${where}.cpuTime counts for a process, not for a call: it needs reuse: 1`)
  }
  return {
    ...resolveChild(where, given, resultLimit),
    execArgv: execArgv === undefined ? [] : checkStrings(`${where}.execArgv`, execArgv),
    permissions: permissions === undefined ? undefined : resolvePermissions(`${where}.permissions`, permissions),
    reuse: reuse === undefined ? 1 : checkInteger(`${where}.reuse`, reuse, 1),
  }
}

export function resolveCommand(where: string, given: CommandOptions, resultLimit: number): ResolvedCommand {
  const { command, input = 'json', output = 'json' } = given
  if (checkStrings(`${where}.command`, command).length === 0 || command[0] === '') {
    throw new TypeError(`${where}.command must be [program, ...args], got ${show(command)}`)
  }
  if (input !== 'json' && input !== 'none') {
    throw new TypeError(`${where}.input must be 'json' or 'none', got ${show(input)}`)
  }
  if (output !== 'json' && output !== 'text') {
    throw new TypeError(`${where}.output must be 'json' or 'text', got ${show(output)}`)
  }
  return { ...resolveChild(where, given, resultLimit), command, input, output }
}

function resolveChild(where: string, given: ChildOptions, defaultLimit: number): ResolvedChild {
  const { memory, cpuTime, openFiles, fileSize, uid, gid, cwd, env, resultLimit } = given
  const whole = (key: string, value: number | undefined, min: number, max?: number): number | undefined =>
    value === undefined ? undefined : checkInteger(`${where}.${key}`, value, min, max)
  return {
    limits: {
      memory: whole('memory', memory, 1),
      cpuTime:
        cpuTime === undefined ? undefined : finite(`${where}.cpuTime`, checkDuration(`${where}.cpuTime`, cpuTime)),
      openFiles: whole('openFiles', openFiles, 1),
      fileSize: whole('fileSize', fileSize, 0),
    },
    uid: whole('uid', uid, 0, MAX_ID),
    gid: whole('gid', gid, 0, MAX_ID),
    cwd: cwd === undefined ? undefined : checkFolder(`${where}.cwd`, cwd),
    env: { ...inheritedEnvironment(), ...(env !== undefined && checkEnvironment(`${where}.env`, env)) },
    resultLimit: whole('resultLimit', resultLimit, 1, MOST_RESULT) ?? defaultLimit,
  }
}

const MAX_ID = 2 ** 32 - 2

function finite(where: string, ms: number): number {
  if (ms === Infinity) throw new RangeError(`${where} must be a number of milliseconds; leave it out for no limit`)
  return ms
}

function checkFolder(where: string, given: unknown): string {
  const path = checkString(where, given)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path
  throw new Error(`${where} must be a folder that exists; there is no folder ${path}`)
}

function inheritedEnvironment(): Record<string, string> {
  const inherited: Record<string, string> = {}
  for (const key of ['PATH', 'TZ', 'LANG']) {
    const value = process.env[key]
    if (value !== undefined) inherited[key] = value
  }
  return inherited
}

/** What changes which code a process runs before it runs its own; and what is made for each process. */
const NOT_PASSED_ON = /^(NODE_OPTIONS|LD_.*|DYLD_.*|TMPDIR|COATCHECK_CHILD)$/

function checkEnvironment(where: string, given: Record<string, string>): Record<string, string> {
  checkObject(where, given)
  for (const [key, value] of Object.entries(given)) {
    if (typeof value !== 'string') throw new TypeError(`${where}.${key} must be a string, got ${show(value)}`)
    if (NOT_PASSED_ON.test(key)) {
      const hint = key === 'NODE_OPTIONS' ? ': use execArgv' : ''
      throw new TypeError(`${where}.${key} is not passed on to a process${hint}`)
    }
  }
  return given
}

function resolvePermissions(where: string, given: boolean | Permissions): ResolvedPermissions | undefined {
  if (given === false) return undefined
  const options = given === true ? {} : given
  const flags = { childProcess: false, worker: false, addons: false }
  checkOptions(where, options, ['read', 'write', ...Object.keys(flags), 'net'])
  const { read = [], write = [], net } = options
  for (const key of Object.keys(flags) as (keyof typeof flags)[]) {
    if (options[key] !== undefined) flags[key] = checkBoolean(`${where}.${key}`, options[key])
  }
  return {
    read: checkStrings(`${where}.read`, read),
    write: checkStrings(`${where}.write`, write),
    ...flags,
    net: net === undefined ? undefined : checkBoolean(`${where}.net`, net),
  }
}
