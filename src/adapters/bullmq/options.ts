import type { RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import { availableParallelism } from 'node:os'
import { checkInteger, checkObject, checkOptions, checkString, show } from '../../model/check.ts'
import type { AnyFunctions, FunctionName } from '../../model/functions.ts'
import { checkLogger, checkPriority, type CallDefaults } from '../../model/options.ts'
import { checkDuration, checkTimeout } from '../../model/timeouts.ts'

/** Where Redis is: ioredis options, or an address such as `redis://host:6379`. */
export type QueueConnection = RedisOptions | string

/**
 * How often a call may begin. `'once'`: at most once; if the machine that ran it dies, it ends with `CALL_LOST`.
 * `atLeastOnce`: again on another machine if one dies, until it has begun that many times, 1 or more.
 */
export type Delivery = 'once' | { atLeastOnce: number }

/** How calls of one function are handed in. What `start` is given for a single call goes before it. */
export interface QueueFunctionOptions extends CallDefaults {
  /** Default: `'once'`. */
  delivery?: Delivery
}

/** Which queue, and where. Clients and servers of one queue give the same. */
export interface QueueAddress {
  /** The queue's name, without a colon. */
  queue: string
  /** Redis, or Valkey. Its eviction policy must be `noeviction`. */
  connection: QueueConnection
  /** What the keys in Redis begin with. Default: `'bull'`, as in BullMQ. */
  prefix?: string
}

export interface ConnectOptions<F = AnyFunctions> extends QueueAddress {
  /** Options per function. `abortAfter` and `grace` left out are those of the runner that serves the call. */
  define?: Partial<Record<FunctionName<F>, QueueFunctionOptions>>
  /** Calls that may wait beyond those that can run at once on all machines; 0 or more. One more is refused with
   * `QUEUE_FULL`. Default: 10,000. */
  queueLimit?: number
  /** Milliseconds a finished call can still be asked for; 0 or more. Default: 600,000 (ten minutes). */
  retain?: number
  /** Finished calls of this client that are kept at most; 0 or more. The oldest go first. Default: 10,000. */
  retainLimit?: number
  /** Bytes that the arguments of a call may have as they travel; 1 or more. More is a RangeError. Default: 262,144 (256 KiB). */
  valueLimit?: number
  /** A pino logger, for trouble with Redis. Default: silent. */
  logger?: Logger
}

export interface ServeOptions extends QueueAddress {
  /** Calls that are taken from the queue at once; 1 or more: as many as the runner can run. Default: the number of
   * processors this process may use. */
  concurrency?: number
  /** Milliseconds after which a machine that is not heard of has lost its calls; 1,000 or more. Default: 30,000. */
  lockDuration?: number
  /** Milliseconds between two looks for calls of machines that are gone; 100 or more. It takes two looks. Default: 30,000. */
  stalledInterval?: number
  /** Bytes that a value or a report of progress may have as it travels; 1 or more. A larger value ends its call with
   * `RESULT_TOO_LARGE`. Default: 262,144 (256 KiB). */
  valueLimit?: number
  /** A pino logger, for trouble with Redis. Default: silent. */
  logger?: Logger
}

export interface ResolvedAddress {
  queue: string
  /** Options only: an address is one of them. */
  connection: RedisOptions & { url?: string }
  prefix: string
}

interface ResolvedFunction {
  /** Undefined: the serving runner's. */
  abortAfter: number | undefined
  grace: number | undefined
  retain: number
  priority: number
  /** How often a call may begin. */
  starts: number
}

export interface ResolvedConnectOptions extends ResolvedAddress {
  define: ReadonlyMap<string, ResolvedFunction>
  /** The functions that `define` says nothing of. */
  others: ResolvedFunction
  queueLimit: number
  retainLimit: number
  valueLimit: number
  logger: Logger | undefined
}

export interface ResolvedServeOptions extends ResolvedAddress {
  concurrency: number
  lockDuration: number
  stalledInterval: number
  valueLimit: number
  logger: Logger | undefined
}

const DEFAULTS = {
  prefix: 'bull',
  queueLimit: 10_000,
  retain: 600_000,
  retainLimit: 10_000,
  valueLimit: 262_144,
  lockDuration: 30_000,
  stalledInterval: 30_000,
}

const ADDRESS_KEYS = ['queue', 'connection', 'prefix']
const CONNECT_KEYS = [...ADDRESS_KEYS, 'define', 'queueLimit', 'retain', 'retainLimit', 'valueLimit', 'logger']
const SERVE_KEYS = [...ADDRESS_KEYS, 'concurrency', 'lockDuration', 'stalledInterval', 'valueLimit', 'logger']
const FUNCTION_KEYS = ['abortAfter', 'grace', 'retain', 'priority', 'delivery']

/** @throws TypeError or RangeError that names the option, what it was, and what would be right. */
export function resolveConnect(given: ConnectOptions): ResolvedConnectOptions {
  checkOptions('connectQueue options', given, CONNECT_KEYS)
  const { define = {}, queueLimit, retain, retainLimit, logger } = given
  checkObject('option "define"', define)
  const defaultRetain = retain === undefined ? DEFAULTS.retain : checkTimeout('retain', retain)
  const defined = new Map<string, ResolvedFunction>()
  for (const [fn, options] of Object.entries(define as Record<string, QueueFunctionOptions | undefined>)) {
    if (options !== undefined) defined.set(fn, resolveFunction(`define.${fn}`, options, defaultRetain))
  }
  return {
    ...resolveAddress(given),
    define: defined,
    others: resolveFunction('connectQueue options', {}, defaultRetain),
    queueLimit: queueLimit === undefined ? DEFAULTS.queueLimit : checkInteger('queueLimit', queueLimit, 0),
    retainLimit: retainLimit === undefined ? DEFAULTS.retainLimit : checkInteger('retainLimit', retainLimit, 0),
    valueLimit: resolveValueLimit(given.valueLimit),
    logger: checkLogger(logger),
  }
}

/** @throws TypeError or RangeError that names the option, what it was, and what would be right. */
export function resolveServe(given: ServeOptions): ResolvedServeOptions {
  checkOptions('serveQueue options', given, SERVE_KEYS)
  const { concurrency, lockDuration, stalledInterval } = given
  return {
    ...resolveAddress(given),
    concurrency: concurrency === undefined ? availableParallelism() : checkInteger('concurrency', concurrency, 1),
    lockDuration:
      lockDuration === undefined ? DEFAULTS.lockDuration : checkInteger('lockDuration', lockDuration, 1_000),
    stalledInterval:
      stalledInterval === undefined ? DEFAULTS.stalledInterval : checkInteger('stalledInterval', stalledInterval, 100),
    valueLimit: resolveValueLimit(given.valueLimit),
    logger: checkLogger(given.logger),
  }
}

function resolveAddress({ queue, connection, prefix }: QueueAddress): ResolvedAddress {
  const name = checkString('option "queue"', queue)
  if (name.includes(':')) throw new TypeError(`option "queue" must be a name without a colon, got ${show(queue)}`)
  return {
    queue: name,
    connection: resolveConnection(connection),
    prefix: prefix === undefined ? DEFAULTS.prefix : checkString('option "prefix"', prefix),
  }
}

function resolveConnection(given: unknown): RedisOptions & { url?: string } {
  const right = "ioredis options such as { host: 'localhost' }, or an address such as 'redis://localhost:6379'"
  if (given === undefined) throw new TypeError(`option "connection" is missing: it must be ${right}`)
  if (typeof given === 'string') {
    if (URL.canParse(given)) return { url: given }
    throw new TypeError(`option "connection" must be ${right}; got ${show(given)}`)
  }
  // A client of the caller's would need other settings for each of its uses here.
  if (Object.getPrototypeOf(Object(given)) !== Object.prototype) {
    throw new TypeError(`option "connection" must be ${right}; got ${show(given)}`)
  }
  return given as RedisOptions
}

function resolveFunction(where: string, given: QueueFunctionOptions, defaultRetain: number): ResolvedFunction {
  checkOptions(where, given, FUNCTION_KEYS)
  const { abortAfter, grace, retain, priority, delivery } = given
  return {
    abortAfter: abortAfter === undefined ? undefined : checkDuration(`${where}.abortAfter`, abortAfter),
    grace: grace === undefined ? undefined : checkTimeout(`${where}.grace`, grace),
    retain: retain === undefined ? defaultRetain : checkTimeout(`${where}.retain`, retain),
    priority: priority === undefined ? 0 : checkPriority(`${where}.priority`, priority),
    starts: delivery === undefined ? 1 : resolveDelivery(`${where}.delivery`, delivery),
  }
}

function resolveDelivery(where: string, given: Delivery): number {
  if (given === 'once') return 1
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`${where} must be 'once' or { atLeastOnce: n }, got ${show(given)}`)
  }
  checkOptions(where, given, ['atLeastOnce'])
  return checkInteger(`${where}.atLeastOnce`, given.atLeastOnce, 1)
}

function resolveValueLimit(given: number | undefined): number {
  return given === undefined ? DEFAULTS.valueLimit : checkInteger('valueLimit', given, 1)
}
