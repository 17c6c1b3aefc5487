import type { MessagePort } from 'node:worker_threads'
import type { EncodedError } from './encoded-error.ts'
import type { LogValue } from './log-values.ts'

/** What a lane's thread is handed to serve it: the one argument of the Piscina task. */
export interface LaneTask {
  port: MessagePort
  memory: SharedArrayBuffer
  /** The functions module's URL. */
  functions: string
  concurrency: number
  /** The level of the runner's logger; lines below it are not sent. */
  logLevel: LogLevel | 'silent'
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** The runner wants to hear at once that this call has begun. */
export const TELL_START = 1
/** This call may take long: what is finished must be told before it begins. */
export const MAY_BE_SLOW = 2

/**
 * Reports (`progress` and `log`) that a thread may be ahead of the runner. They could come faster than anybody can hear
 * them: from there on progress is thinned out, and a function that logs waits.
 */
export const REPORTS_AHEAD = 256

/** Numbers of a call in `calls`: slot, generation, flags, function name, arguments, `abortAfter` (0 for none). */
export const CALL_FIELDS = 6

/** From the runner to a lane's thread. */
export type ToHost =
  // One flat array for all calls of a turn: an object for each would double the cost of a small call.
  // `after`: how many calls had gone by shared memory before, as they are counted there.
  | { type: 'run'; calls: unknown[]; after: number }
  /** There is something in shared memory. */
  | { type: 'look' }
  | { type: 'abort'; slot: number; generation: number; reason: AbortCause }
  | { type: 'close' }

/** Why a call is aborted, as its function sees it in `signal.reason`. */
export interface AbortCause {
  name: 'AbortError' | 'TimeoutError'
  message: string
}

/** How a function ended: the kind of its result. The value of `THREW` and `NOT_CLONEABLE` is an `EncodedError`. */
export const RETURNED = 0
export const THREW = 1
export const NOT_FOUND = 2
export const NOT_CLONEABLE = 3

export type ResultKind = typeof RETURNED | typeof THREW | typeof NOT_FOUND | typeof NOT_CLONEABLE

/** From a lane's thread to the runner. */
export type FromHost =
  | { type: 'ready'; threadId: number; functions: string[] }
  | { type: 'failed'; error: EncodedError }
  | { type: 'started'; slot: number; generation: number }
  | { type: 'progress'; slot: number; generation: number; value: unknown }
  | { type: 'log'; slot: number; generation: number; level: LogLevel; args: LogValue[] }
  | { type: 'result'; slot: number; generation: number; kind: ResultKind; value: unknown }
  /** There is something in shared memory. */
  | { type: 'look' }
