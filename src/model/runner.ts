import type { Transferable } from 'node:worker_threads'
import type { CallId } from './call-id.ts'
import type { RunnerEvents } from './events.ts'
import type { AnyFunctions, FunctionArgs, FunctionName, FunctionValue } from './functions.ts'
import type { CallInfo, CallState, CallStatus } from './status.ts'

export interface CallOptions {
  /** Milliseconds the call may run, counted from when its function begins; more than 0. No limit when left out. */
  abortAfter?: number
  /** Milliseconds between a polite abort and a kill; 0 or more. Default: the function's, or the runner's, `grace`. */
  grace?: number
  /** From -100 to 100, higher goes first; each second of waiting counts as one more. Default: 0. */
  priority?: number
  /** Cancels the call when it aborts, with the signal's reason. */
  signal?: AbortSignal
  /** ArrayBuffers and the like inside `args` that are moved to the thread instead of copied. Such a call cannot be
   * handed to a second thread if its first one dies before the function begins. */
  transfer?: readonly Transferable[]
}

export interface StartOptions extends CallOptions {
  /** Milliseconds to wait for the call, 0 or more. 0 answers at once; `Infinity` waits until it ends. Default: 10,000. */
  timeout?: number
  /** Milliseconds the finished call can be asked for, 0 or more. When given, the call is kept even if it ends within
   * `timeout`. Default: the runner's `retain`, and only for a call that outlived a wait. */
  retain?: number
  /** Names this call, so that it can be started again without being run again: the same key with the same function and
   * arguments gives the call that exists, and `KEY_REUSED` with others. A call with a key is kept. Only the options of
   * the first `start` hold for it, `signal` too. The arguments must be plain values. */
  idempotencyKey?: string
}

export interface WaitOptions {
  /** Milliseconds to wait, 0 or more. 0 only looks; `Infinity` waits until the call ends. Default: 10,000. */
  timeout?: number
  /** Ends this wait, and nothing else. The wait rejects with the signal's reason. */
  signal?: AbortSignal
}

export interface CancelOptions {
  /** Why: what the function's `signal.reason` says, and the `cause` of the `ABORTED` error. */
  reason?: unknown
  /** Milliseconds between the polite abort and the kill, 0 or more. Default: the call's `grace`. */
  grace?: number
}

export interface ListOptions {
  state?: CallState
  fn?: string
  /** Rows at most, from 1 to 10,000. Default: 100. */
  limit?: number
  /** Where the page before ended: its `cursor`. */
  cursor?: string
}

export interface CallPage {
  calls: CallInfo[]
  /** Where the next page begins. Left out on the last page. */
  cursor?: string
}

export interface CloseOptions {
  /** Whether to abort the calls that have not ended, instead of letting them end. Default: false. */
  abort?: boolean
  /** Milliseconds between the polite abort and the kill, 0 or more. Default: each call's `grace`. */
  grace?: number
}

/** Microseconds. All are 0 while nothing was recorded. */
export interface TimeStats {
  count: number
  p50: number
  p99: number
  max: number
}

export interface RunnerStats {
  /** Calls by state; `finished` counts those that are still kept. */
  calls: { queued: number; running: number; finished: number }
  /** Calls since the runner was made. */
  total: { admitted: number; succeeded: number; failed: number; expired: number }
  /** Calls that wait for a place to run. */
  queueLength: number
  /** Waits under way. */
  waits: number
  /** Threads there are, and those that have calls. */
  threads: { size: number; busy: number }
  /** Child processes there are, those kept ready too, and calls that have one. */
  processes: { size: number; busy: number }
  /** From admission to the function's beginning. */
  queueTime: TimeStats
  /** From the function's beginning to its end. */
  runTime: TimeStats
}

/**
 * Runs function calls, and answers for them by their ID. Every place to run gives this interface.
 *
 * What is refused before a call exists rejects the promise of `start`; how an admitted call ended is always a status.
 * After the design "RPC timeouts" of Ganeti (2010): `start` is its `StartFunction`, `wait` its `WaitForFunction`.
 */
export interface Runner<F = AnyFunctions> extends AsyncDisposable {
  /**
   * Begins a call and waits a bounded time for it: the answer is its outcome, or its ID.
   *
   * Which functions there are is known once the first thread is ready. An unknown one whose `start` is answered before
   * that has an ID, and ends with `FUNCTION_NOT_FOUND`.
   *
   * Hand `args` over: they are copied when the call is sent to its thread, which can be after `start` has answered.
   *
   * @throws TypeError or RangeError for a bad argument; CallError `FUNCTION_NOT_FOUND`, `NOT_CLONEABLE`, `QUEUE_FULL`,
   * `RUNNER_CLOSED`, `KEY_REUSED`, or `ABORTED` for a `signal` that had aborted before.
   */
  start<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options: StartOptions & { timeout: 0 },
  ): Promise<CallStatus<FunctionValue<F, K>> & { id: CallId }>
  start<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: StartOptions,
  ): Promise<CallStatus<FunctionValue<F, K>>>

  /**
   * Waits for a call again. A wait that goes away takes only itself away.
   *
   * @throws TypeError or RangeError for a bad argument; CallError `CALL_UNKNOWN`, `CALL_EXPIRED` or `CALL_LOST` for an ID
   * that cannot be asked for; the reason of `signal` when that aborts.
   */
  wait<T = unknown>(id: CallId | (string & {}), options?: WaitOptions): Promise<CallStatus<T>>

  /**
   * Begins a call and gives its value when it ends.
   *
   * @throws what the function threw; or CallError for every other end, and all that `start` throws.
   */
  call<K extends FunctionName<F>>(fn: K, args: FunctionArgs<F, K>, options?: CallOptions): Promise<FunctionValue<F, K>>

  /**
   * Asks a call to end, and answers at once with its status. A call that has not begun is dropped; one that runs sees
   * its `signal` and `aborted` turn, and is killed after `grace`. Cancelling after the end answers with the end.
   *
   * @throws as `wait`.
   */
  cancel(id: CallId | (string & {}), options?: CancelOptions): Promise<CallStatus>

  /**
   * Lists the calls that can be asked for or are under way, in the order of their admission. Calls that are admitted
   * while pages are read appear on later pages. Whoever reads a list may come back for what is on it: a call that was
   * listed is kept when it ends.
   */
  list(options?: ListOptions): Promise<CallPage>

  /**
   * Drops a finished call.
   *
   * @throws CallError `CALL_RUNNING` if it has not ended; and as `wait`.
   */
  forget(id: CallId | (string & {})): Promise<void>

  stats(): RunnerStats

  /** Calls `listener` at each such event, until `off`. */
  on<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this
  /** Calls `listener` at the next such event. */
  once<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this
  off<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this
  /** The same as `off`, by the name under which `node:events` looks for it. */
  removeListener<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this

  /**
   * Resolves when the functions can run: the module is loaded in as many threads as are kept ready.
   *
   * @throws CallError `SPAWN_FAILED` whose `cause` is what loading the module threw.
   */
  ready(): Promise<void>

  /**
   * Stops admission, lets the calls end (or aborts them), ends the threads. Waits under way are answered. Finished
   * calls that are kept can still be asked for. Can be called again, also with `abort` after a call without.
   */
  close(options?: CloseOptions): Promise<void>
}
