import { AsyncLocalStorage } from 'node:async_hooks'

/** Writes log lines that come out of the runner's logger, with the call's ID and function. As of a pino logger. */
export interface CallLogger {
  trace: LogMethod
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
  fatal: LogMethod
  /** A logger whose lines carry `bindings` too. */
  child(bindings: Record<string, unknown>): CallLogger
}

/** `log.info('done')`, `log.info({ rows: 3 }, 'done')`, `log.info(error, 'not done')`. */
export interface LogMethod {
  (message: string, ...values: unknown[]): void
  (properties: object, message?: string, ...values: unknown[]): void
}

/** The call that a function runs for. */
export interface CurrentCall {
  /** The function's name. */
  readonly fn: string
  /** Aborts when the call is cancelled or reaches its `abortAfter`. A busy loop never sees that: it polls `aborted`. */
  readonly signal: AbortSignal
  /** Whether the call was cancelled or reached its `abortAfter`: a read of shared memory, cheap enough for a loop. */
  readonly aborted: boolean
  /** Unix time in milliseconds at which the call will be aborted; `Infinity` without an `abortAfter`. */
  readonly deadline: number
  readonly log: CallLogger
  /**
   * Reports progress: the `progress` of the call's status, and the runner's `progress` event. What comes faster than it
   * is heard is thinned out; the last value is always told.
   *
   * @throws DOMException `DataCloneError` when `value` cannot travel between threads.
   */
  readonly progress: (value: unknown) => void
}

/**
 * What the function's side knows of the calls it runs. It is kept on the global object, because the functions module may
 * have found another copy of this package than the one that runs it.
 */
export interface CurrentCalls {
  /** The call whose function is on the stack. */
  onStack: CurrentCall | undefined
  /** Follows a call across `await`. Made when a functions module asks for `coatcheck/function`. */
  storage: AsyncLocalStorage<CurrentCall> | undefined
  /** Calls under way that began before `storage` was there. */
  running: Set<CurrentCall>
}

const KEY = Symbol.for('coatcheck.currentCalls')

export function currentCalls(): CurrentCalls {
  const holder = globalThis as { [KEY]?: CurrentCalls }
  return (holder[KEY] ??= { onStack: undefined, storage: undefined, running: new Set() })
}

/** From here on calls are followed across `await`, which costs each of them some. */
export function followCalls(): void {
  currentCalls().storage ??= new AsyncLocalStorage()
}

export function findCurrentCall(): CurrentCall {
  const { onStack, storage, running } = currentCalls()
  const found = storage?.getStore() ?? onStack ?? onlyOne(running)
  if (found) return found
  throw new Error(
    running.size === 0
      ? 'currentCall() must be called by a function that a coatcheck runner runs; no call is running here'
      : "currentCall() cannot tell which call this is: import 'coatcheck/function' at the top of the functions module",
  )
}

/** With `import('coatcheck/function')` inside a function, that call began before calls were followed. */
function onlyOne(calls: Set<CurrentCall>): CurrentCall | undefined {
  return calls.size === 1 ? calls.values().next().value : undefined
}
