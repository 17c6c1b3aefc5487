import type * as functions from '../functions/functions.js'

export type FunctionName = keyof typeof functions

/** Something that runs the functions of `functions.js`. */
export interface Contender {
  /**
   * Runs a function and gives its value.
   *
   * @param transfer what is moved to the function and not copied. Contenders that cannot do so copy it.
   */
  call(fn: FunctionName, argument?: unknown, transfer?: ArrayBuffer[]): Promise<unknown>
  /** The same, for a call that can be ended while it runs. Left out where none can. */
  begin?(fn: FunctionName, argument: unknown): Abortable
  /** Left out where a call cannot be asked for again. */
  tickets?: Tickets
  /** Left out by those that do not serve it. */
  http?: ServedHttp
  /** Resolves when all that is kept ready is there again. Left out where nothing is used up. */
  ready?(): Promise<void>
  /** Ends all that it has started. */
  close(): Promise<void>
}

interface Abortable {
  /** Rejects once the call is aborted. */
  ended: Promise<unknown>
  abort(): void
}

/** Calls over HTTP, for those who send requests of their own. */
interface ServedHttp {
  url: string
  /** The JSON body of a `POST` that calls what does nothing. */
  body: string
  /** Tells the IDs of calls as they end. */
  onFinished(listener: (event: { id: string }) => void): void
}

/** Calls that are begun, and asked for again by their ID. */
export interface Tickets {
  /** Begins a call, waits for it for `timeout` milliseconds, 0 or fewer than it takes, and gives its ID. */
  start(fn: FunctionName, argument: unknown, timeout: number): Promise<string>
  /** Waits `timeout` milliseconds, and gives whether the call has ended. */
  wait(id: string, timeout: number): Promise<boolean>
}

export interface ContenderOptions {
  /** How many threads or processes serve calls, all of them started ahead. */
  workers: number
  /** How many calls each serves at a time, for contenders that are told. Default: 1. */
  concurrency?: number
  /** How many calls may be queued, and kept after their end, for contenders that are told. Default: theirs. */
  kept?: number
}

export type CreateContender = (options: ContenderOptions) => Contender | Promise<Contender>

export const FUNCTIONS = new URL('../functions/functions.js', import.meta.url)
