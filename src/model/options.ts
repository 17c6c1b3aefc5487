import { existsSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ResourceLimits } from 'node:worker_threads'
import { pino, type Logger } from 'pino'
import { checkBoolean, checkInteger, checkObject, checkOptions, checkStrings, show } from './check.ts'
import type { AnyFunctions, FunctionName } from './functions.ts'
import { checkDuration, checkTimeout } from './timeouts.ts'

/** How one function is run. What `start` is given for a single call goes before it. */
export interface FunctionOptions {
  /** Where calls of this function run. `'process'` is not there yet. Default: `'thread'`. */
  isolation?: 'thread'
  /** Milliseconds the function may run before it is aborted; more than 0. No limit when left out. */
  abortAfter?: number
  /** Milliseconds between a polite abort and a kill; 0 or more. Default: the runner's `grace`. */
  grace?: number
  /** Milliseconds a finished call can still be asked for; 0 or more. Default: the runner's `retain`. */
  retain?: number
  /** From -100 to 100, higher goes first. Default: 0. */
  priority?: number
}

export interface ThreadsOptions {
  /** Threads that are kept ready; 0 or more, at most `max`. Default: 1. */
  min?: number
  /** Threads there may be at once; 1 or more. Default: the number of processors this process may use, or `min`. */
  max?: number
  /** Calls that may run side by side in one thread; from 1 to 512. With more than 1, killing a call takes its
   * thread's other calls with it (`WORKER_CRASHED`). Default: 1. */
  concurrency?: number
  /** Milliseconds after which a thread above `min` that has nothing to do ends; 0 or more. Default: 10,000. */
  idleTimeout?: number
  /** Memory limits of each thread, as for `node:worker_threads`. A call that reaches them ends with `OUT_OF_MEMORY`. */
  resourceLimits?: ResourceLimits
  /** Environment variables of each thread. Default: a copy of the process's. */
  env?: Record<string, string>
  /** Node options of each thread, such as `['--import', './setup.js']`. Default: the process's. */
  execArgv?: string[]
}

export interface RunnerOptions<F = AnyFunctions> {
  /** The functions module, as a file URL (`new URL('./functions.js', import.meta.url)`) or an absolute path. */
  functions: URL | string
  /** Options per function. */
  define?: Partial<Record<FunctionName<F>, FunctionOptions>>
  threads?: ThreadsOptions
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
  threads: ResolvedThreadsOptions
  queueLimit: number
  retain: number
  retainLimit: number
  grace: number
  logger: Logger
  handleSignals: boolean
}

export interface ResolvedFunctionOptions {
  abortAfter: number
  grace: number
  retain: number
  priority: number
}

export interface ResolvedThreadsOptions {
  min: number
  max: number
  concurrency: number
  idleTimeout: number
  resourceLimits: ResourceLimits | undefined
  env: Record<string, string> | undefined
  execArgv: string[] | undefined
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
  idleTimeout: 10_000,
}

const RUNNER_KEYS = [
  'functions',
  'define',
  'commands',
  'threads',
  'processes',
  'queueLimit',
  'retain',
  'retainLimit',
  'grace',
  'logger',
  'handleSignals',
]
const THREADS_KEYS = ['min', 'max', 'concurrency', 'idleTimeout', 'resourceLimits', 'env', 'execArgv']
const FUNCTION_KEYS = ['isolation', 'abortAfter', 'grace', 'retain', 'priority']
const NOT_THERE_YET = 'is not there yet: this version runs calls on threads only'

/**
 * Checks the options of `createRunner` and fills in every default.
 *
 * @throws TypeError or RangeError that names the option, what it was, and what would be right.
 */
export function resolveOptions(given: RunnerOptions): ResolvedOptions {
  checkOptions('createRunner options', given, RUNNER_KEYS)
  for (const key of ['commands', 'processes']) {
    if (key in given) throw new TypeError(`option "${key}" ${NOT_THERE_YET}`)
  }
  const { retain, grace, queueLimit, retainLimit, logger, handleSignals } = given
  const runner = {
    retain: retain === undefined ? DEFAULTS.retain : checkTimeout('retain', retain),
    grace: grace === undefined ? DEFAULTS.grace : checkTimeout('grace', grace),
  }
  return {
    ...runner,
    functions: resolveFunctions(given.functions),
    define: resolveDefine(given.define, runner),
    threads: resolveThreads(given.threads),
    queueLimit: queueLimit === undefined ? DEFAULTS.queueLimit : checkInteger('queueLimit', queueLimit, 0),
    retainLimit: retainLimit === undefined ? DEFAULTS.retainLimit : checkInteger('retainLimit', retainLimit, 0),
    logger: logger === undefined ? pino({ enabled: false }) : checkLogger(logger),
    handleSignals: handleSignals === undefined ? false : checkBoolean('handleSignals', handleSignals),
  }
}

/** The options of a function that `define` says nothing of. */
export function defaultFunctionOptions({ grace, retain }: { grace: number; retain: number }): ResolvedFunctionOptions {
  return { abortAfter: Infinity, grace, retain, priority: 0 }
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
  defaults: { grace: number; retain: number },
): ReadonlyMap<string, ResolvedFunctionOptions> {
  checkObject('option "define"', given)
  const define = new Map<string, ResolvedFunctionOptions>()
  for (const [fn, options] of Object.entries(given)) {
    if (options !== undefined) define.set(fn, resolveFunction(`define.${fn}`, options, defaults))
  }
  return define
}

function resolveFunction(
  where: string,
  given: FunctionOptions,
  defaults: { grace: number; retain: number },
): ResolvedFunctionOptions {
  checkOptions(where, given, FUNCTION_KEYS)
  const { isolation = 'thread', abortAfter, grace, retain, priority } = given
  if ((isolation as string) === 'process') throw new TypeError(`${where}.isolation 'process' ${NOT_THERE_YET}`)
  if (isolation !== 'thread') throw new TypeError(`${where}.isolation must be 'thread', got ${show(isolation)}`)
  const resolved = defaultFunctionOptions(defaults)
  if (abortAfter !== undefined) resolved.abortAfter = checkDuration(`${where}.abortAfter`, abortAfter)
  if (grace !== undefined) resolved.grace = checkTimeout(`${where}.grace`, grace)
  if (retain !== undefined) resolved.retain = checkTimeout(`${where}.retain`, retain)
  if (priority !== undefined) resolved.priority = checkPriority(`${where}.priority`, priority)
  return resolved
}

export function checkPriority(where: string, value: unknown): number {
  return checkInteger(where, value, -MAX_PRIORITY, MAX_PRIORITY)
}

function resolveThreads(given: ThreadsOptions = {}): ResolvedThreadsOptions {
  checkOptions('threads', given, THREADS_KEYS)
  const { concurrency, idleTimeout, resourceLimits, env, execArgv } = given
  const min = given.min === undefined ? 1 : checkInteger('threads.min', given.min, 0)
  const max =
    given.max === undefined ? Math.max(min, availableParallelism()) : checkInteger('threads.max', given.max, 1)
  if (min > max) throw new RangeError(`threads.min must be at most threads.max (${max}), got ${min}`)
  return {
    min,
    max,
    concurrency: concurrency === undefined ? 1 : checkInteger('threads.concurrency', concurrency, 1, 512),
    idleTimeout: idleTimeout === undefined ? DEFAULTS.idleTimeout : checkTimeout('threads.idleTimeout', idleTimeout),
    resourceLimits: resourceLimits === undefined ? undefined : checkResourceLimits(resourceLimits),
    env: env === undefined ? undefined : checkEnvironment(env),
    execArgv: execArgv === undefined ? undefined : checkStrings('threads.execArgv', execArgv),
  }
}

/** What a thread can be given. Beyond these V8 does not fail to start it: it ends the process. */
const RESOURCE_LIMITS: Record<string, readonly [least: number, most: number]> = {
  maxOldGenerationSizeMb: [4, Infinity],
  maxYoungGenerationSizeMb: [0, Infinity],
  codeRangeSizeMb: [0, 4_096],
  stackSizeMb: [0.5, Infinity],
}

function checkResourceLimits(given: ResourceLimits): ResourceLimits {
  checkOptions('threads.resourceLimits', given, Object.keys(RESOURCE_LIMITS))
  for (const [key, value] of Object.entries(given)) {
    const where = `threads.resourceLimits.${key}`
    if (value === undefined) continue
    if (typeof value !== 'number') throw new TypeError(`${where} must be a number of megabytes, got ${show(value)}`)
    if (!(value > 0 && value < Infinity)) throw new RangeError(`${where} must be more than 0 megabytes, got ${value}`)
    const [least = 0, most = Infinity] = RESOURCE_LIMITS[key] ?? []
    if (value < least) throw new RangeError(`${where} must be at least ${least} megabytes, got ${value}`)
    if (value > most) throw new RangeError(`${where} must be at most ${most} megabytes, got ${value}`)
  }
  return given
}

function checkEnvironment(given: Record<string, string>): Record<string, string> {
  checkObject('threads.env', given)
  for (const [key, value] of Object.entries(given)) {
    if (typeof value !== 'string') throw new TypeError(`threads.env.${key} must be a string, got ${show(value)}`)
  }
  return given
}

function checkLogger(given: Logger): Logger {
  for (const method of ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'child', 'isLevelEnabled'] as const) {
    if (typeof given?.[method] !== 'function') {
      throw new TypeError(`option "logger" must be a pino logger; got ${show(given)}, which has no method "${method}"`)
    }
  }
  return given
}
