import { existsSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Logger } from 'pino'
import { checkBoolean, checkInteger, checkObject, checkOptions, show } from './check.ts'
import type { AnyFunctions, FunctionName } from './functions.ts'
import {
  COMMAND_KEYS,
  PROCESS_KEYS,
  resolveCommand,
  resolveProcess,
  resolveProcesses,
  type CommandOptions,
  type ProcessesOptions,
  type ProcessOptions,
  type ResolvedCommand,
  type ResolvedProcess,
  type ResolvedProcessesOptions,
} from './process-options.ts'
import { resolveThreads, type ResolvedThreadsOptions, type ThreadsOptions } from './thread-options.ts'
import { checkDuration, checkTimeout } from './timeouts.ts'

/** Where calls run: on a worker thread of this process, or each in a child process of its own. */
export type Isolation = 'thread' | 'process'

/** How one function is run. What `start` is given for a single call goes before it. */
export interface FunctionOptions extends ProcessOptions, CallDefaults {
  /** Where calls of this function run. Default: the runner's `isolation`. */
  isolation?: Isolation
}

/** What calls have when they are not given something else. */
export interface CallDefaults {
  /** Milliseconds the function may run before it is aborted; more than 0. No limit when left out. */
  abortAfter?: number
  /** Milliseconds between a polite abort and a kill; 0 or more. Default: the runner's `grace`. */
  grace?: number
  /** Milliseconds a finished call can still be asked for; 0 or more. Default: the runner's `retain`. */
  retain?: number
  /** From -100 to 100, higher goes first. Default: 0. */
  priority?: number
}

export interface RunnerOptions<F = AnyFunctions> {
  /** The functions module, as a file URL (`new URL('./functions.js', import.meta.url)`) or an absolute path. */
  functions: URL | string
  /** Options per function. */
  define?: Partial<Record<FunctionName<F>, FunctionOptions>>
  /** Functions in any language: programs that are run for each call, by the names under which they are called. */
  commands?: Record<string, CommandOptions & CallDefaults>
  /** Where calls run of which `define` says nothing else. Default: `'thread'`. */
  isolation?: Isolation
  threads?: ThreadsOptions
  processes?: ProcessesOptions
  /** Calls that may wait beyond those that can run at once; 0 or more. One more is refused with `QUEUE_FULL`. Default: 10,000. */
  queueLimit?: number
  /** Milliseconds a finished call can still be asked for; 0 or more. Default: 600,000 (ten minutes). */
  retain?: number
  /** Finished calls that are kept at most; 0 or more. The oldest go first. Default: 10,000. */
  retainLimit?: number
  /** Milliseconds between a polite abort and a kill; 0 or more. Default: 1,000. */
  grace?: number
  /** A pino logger. Default: silent. */
  logger?: Logger
  /** Whether SIGTERM and SIGINT close the runner, aborting its calls, before they end the process. Default: false. */
  handleSignals?: boolean
}

/** The options with every default in place. */
export interface ResolvedOptions {
  functions: URL
  define: ReadonlyMap<string, ResolvedFunctionOptions>
  commands: ReadonlyMap<string, ResolvedCommand & ResolvedFunctionOptions>
  /** The functions that `define` says nothing of. */
  others: ResolvedFunctionOptions
  threads: ResolvedThreadsOptions
  processes: ResolvedProcessesOptions
  queueLimit: number
  retain: number
  retainLimit: number
  grace: number
  /** Undefined for none. */
  logger: Logger | undefined
  handleSignals: boolean
}

export interface ResolvedFunctionOptions {
  isolation: Isolation
  /** How its process is made; the same object for all that are the same. Undefined on threads, and for commands. */
  process: ResolvedProcess | undefined
  abortAfter: number
  grace: number
  retain: number
  priority: number
}

/** Milliseconds that `start` and `wait` wait when `timeout` is left out. */
export const DEFAULT_TIMEOUT = 10_000

/** Calls that `list` gives when `limit` is left out, and the most that it gives. */
export const DEFAULT_LIST_LIMIT = 100
export const MAX_LIST_LIMIT = 10_000

const MAX_PRIORITY = 100

const DEFAULTS = {
  queueLimit: 10_000,
  retain: 600_000,
  retainLimit: 10_000,
  grace: 1_000,
}

const RUNNER_KEYS = [
  'functions',
  'define',
  'commands',
  'isolation',
  'threads',
  'processes',
  'queueLimit',
  'retain',
  'retainLimit',
  'grace',
  'logger',
  'handleSignals',
]
const CALL_KEYS = ['abortAfter', 'grace', 'retain', 'priority']
const FUNCTION_KEYS = ['isolation', ...CALL_KEYS, ...PROCESS_KEYS]

/**
 * Checks the options of `createRunner` and fills in every default.
 *
 * @throws TypeError or RangeError that names the option, what it was, and what would be right.
 */
export function resolveOptions(given: RunnerOptions): ResolvedOptions {
  checkOptions('createRunner options', given, RUNNER_KEYS)
  const { retain, grace, queueLimit, retainLimit, logger, handleSignals, isolation = 'thread' } = given
  checkIsolation('option "isolation"', isolation)
  const processes = resolveProcesses(given.processes)
  const defaults: Defaults = {
    isolation,
    retain: retain === undefined ? DEFAULTS.retain : checkTimeout('retain', retain),
    grace: grace === undefined ? DEFAULTS.grace : checkTimeout('grace', grace),
    resultLimit: processes.resultLimit,
    kinds: new Map(),
  }
  const define = resolveDefine(given.define, defaults)
  return {
    retain: defaults.retain,
    grace: defaults.grace,
    functions: resolveFunctions(given.functions),
    define,
    commands: resolveCommands(given.commands, define, defaults),
    others: resolveFunction('createRunner options', {}, defaults),
    threads: resolveThreads(given.threads),
    processes,
    queueLimit: queueLimit === undefined ? DEFAULTS.queueLimit : checkInteger('queueLimit', queueLimit, 0),
    retainLimit: retainLimit === undefined ? DEFAULTS.retainLimit : checkInteger('retainLimit', retainLimit, 0),
    logger: checkLogger(logger),
    handleSignals: handleSignals === undefined ? false : checkBoolean('handleSignals', handleSignals),
  }
}

/** What a function has when `define` says nothing else. */
interface Defaults {
  isolation: Isolation
  grace: number
  retain: number
  resultLimit: number
  /** Kinds of processes there are already, by what they consist of. */
  kinds: Map<string, ResolvedProcess>
}

function resolveFunctions(given: unknown): URL {
  const right = "a file URL such as new URL('./functions.js', import.meta.url), or an absolute path"
  if (given === undefined) throw new TypeError(`option "functions" is missing: it must be ${right}`)
  const url = toFileUrl(given)
  const path = url && toPath(url)
  if (path === undefined) throw new TypeError(`option "functions" must be ${right}; got ${show(given)}`)
  const entry = statSync(path, { throwIfNoEntry: false })
  if (entry?.isDirectory()) throw new Error(`option "functions" must be the path of a module; ${path} is a folder`)
  if (!entry) {
    const other = path.replace(/\.([cm]?)([jt])s$/, (_, kind, letter) => `.${kind}${letter === 'j' ? 't' : 'j'}s`)
    const hint = existsSync(other) ? `, but there is ${other}` : ''
    throw new Error(`option "functions" must be the path of a module that exists; there is no ${path}${hint}`)
  }
  return url as URL
}

/** Undefined for a URL that names no path here, such as one with a host. */
function toPath(url: URL): string | undefined {
  try {
    return fileURLToPath(url)
  } catch {
    return undefined
  }
}

function toFileUrl(given: unknown): URL | undefined {
  if (given instanceof URL) return given.protocol === 'file:' ? given : undefined
  if (typeof given !== 'string') return undefined
  if (given.startsWith('file:')) return URL.canParse(given) ? new URL(given) : undefined
  return isAbsolute(given) ? pathToFileURL(given) : undefined
}

function resolveDefine(
  given: Record<string, FunctionOptions | undefined> = {},
  defaults: Defaults,
): ReadonlyMap<string, ResolvedFunctionOptions> {
  checkObject('option "define"', given)
  const define = new Map<string, ResolvedFunctionOptions>()
  for (const [fn, options] of Object.entries(given)) {
    if (options === undefined) continue
    checkOptions(`define.${fn}`, options, FUNCTION_KEYS)
    define.set(fn, resolveFunction(`define.${fn}`, options, defaults))
  }
  return define
}

function resolveFunction(where: string, given: FunctionOptions, defaults: Defaults): ResolvedFunctionOptions {
  const { isolation = defaults.isolation } = given
  checkIsolation(`${where}.isolation`, isolation)
  const needsProcess = PROCESS_KEYS.find((key) => given[key] !== undefined)
  if (isolation === 'thread' && needsProcess) {
    throw new TypeError(`${where}.${needsProcess} is for a process: it needs isolation: 'process'`)
  }
  const process =
    isolation === 'process' ? kindOf(resolveProcess(where, given, defaults.resultLimit), defaults) : undefined
  return { isolation, process, ...resolveCallDefaults(where, given, defaults) }
}

/** One object for all that are the same, so that those functions share their spares. */
function kindOf(process: ResolvedProcess, { kinds }: Defaults): ResolvedProcess {
  const key = JSON.stringify(process)
  const known = kinds.get(key) ?? process
  kinds.set(key, known)
  return known
}

function resolveCommands(
  given: Record<string, CommandOptions & CallDefaults> = {},
  define: ReadonlyMap<string, unknown>,
  defaults: Defaults,
): ResolvedOptions['commands'] {
  checkObject('option "commands"', given)
  const commands = new Map<string, ResolvedCommand & ResolvedFunctionOptions>()
  for (const [name, options] of Object.entries(given)) {
    const where = `commands.${name}`
    if (define.has(name)) throw new TypeError(`${where} stands in "define" too: give its options here`)
    checkOptions(where, options, [...COMMAND_KEYS, ...CALL_KEYS])
    const command = resolveCommand(where, options, defaults.resultLimit)
    const call = resolveCallDefaults(where, options, defaults)
    commands.set(name, { ...command, ...call, isolation: 'process', process: undefined })
  }
  return commands
}

function resolveCallDefaults(
  where: string,
  { abortAfter, grace, retain, priority }: CallDefaults,
  defaults: Defaults,
): Required<CallDefaults> {
  return {
    abortAfter: abortAfter === undefined ? Infinity : checkDuration(`${where}.abortAfter`, abortAfter),
    grace: grace === undefined ? defaults.grace : checkTimeout(`${where}.grace`, grace),
    retain: retain === undefined ? defaults.retain : checkTimeout(`${where}.retain`, retain),
    priority: priority === undefined ? 0 : checkPriority(`${where}.priority`, priority),
  }
}

function checkIsolation(where: string, value: unknown): void {
  if (value === 'thread' || value === 'process') return
  throw new TypeError(`${where} must be 'thread' or 'process', got ${show(value)}`)
}

export function checkPriority(where: string, value: unknown): number {
  return checkInteger(where, value, -MAX_PRIORITY, MAX_PRIORITY)
}

export function checkLogger(given: Logger | undefined): Logger | undefined {
  if (given === undefined) return undefined
  for (const method of ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'child', 'isLevelEnabled'] as const) {
    if (typeof given?.[method] !== 'function') {
      throw new TypeError(`option "logger" must be a pino logger; got ${show(given)}, which has no method "${method}"`)
    }
  }
  return given
}
