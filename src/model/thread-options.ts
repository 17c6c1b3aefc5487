import { availableParallelism } from 'node:os'
import type { ResourceLimits } from 'node:worker_threads'
import { checkInteger, checkObject, checkOptions, checkStrings, show } from './check.ts'
import { checkTimeout } from './timeouts.ts'

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

export interface ResolvedThreadsOptions {
  min: number
  max: number
  concurrency: number
  idleTimeout: number
  resourceLimits: ResourceLimits | undefined
  env: Record<string, string> | undefined
  execArgv: string[] | undefined
}

const THREADS_KEYS = ['min', 'max', 'concurrency', 'idleTimeout', 'resourceLimits', 'env', 'execArgv']

const DEFAULTS = { min: 1, concurrency: 1, idleTimeout: 10_000 }

export function resolveThreads(given: ThreadsOptions = {}): ResolvedThreadsOptions {
  checkOptions('threads', given, THREADS_KEYS)
  const { concurrency, idleTimeout, resourceLimits, env, execArgv } = given
  const min = given.min === undefined ? DEFAULTS.min : checkInteger('threads.min', given.min, 0)
  const max =
    given.max === undefined ? Math.max(min, availableParallelism()) : checkInteger('threads.max', given.max, 1)
  if (min > max) throw new RangeError(`threads.min must be at most threads.max (${max}), got ${min}`)
  return {
    min,
    max,
    concurrency:
      concurrency === undefined ? DEFAULTS.concurrency : checkInteger('threads.concurrency', concurrency, 1, 512),
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
