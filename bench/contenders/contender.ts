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
  /** Ends all that it has started. */
  close(): Promise<void>
}

export interface ContenderOptions {
  /** How many threads or processes serve calls, all of them started ahead. */
  workers: number
  /** How many calls each serves at a time, for contenders that are told. Default: 1. */
  concurrency?: number
}

export type CreateContender = (options: ContenderOptions) => Contender | Promise<Contender>

export const FUNCTIONS = new URL('../functions/functions.js', import.meta.url)
