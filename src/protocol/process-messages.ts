import type { EncodedError } from './encoded-error.ts'
import type { LogValue } from './log-values.ts'
import type { AbortCause, LogLevel, ResultKind } from './messages.ts'

/** From the runner to a function's process, on file descriptor 4. */
export type ToProcess =
  /** The first: what it needs to get ready. */
  | { type: 'load'; functions: string; logLevel: LogLevel | 'silent'; resultLimit: number }
  /**
   * @property call its number, from 1 on.
   * @property tellsStart whether to say that the function begins.
   */
  | {
      type: 'run'
      call: number
      fn: string
      args: readonly unknown[]
      abortAfter: number
      isLast: boolean
      tellsStart: boolean
    }
  | { type: 'abort'; reason: AbortCause }

/** From a function's process to the runner, on file descriptor 3. Times are milliseconds of the monotonic clock. */
export type FromProcess =
  | { type: 'ready'; functions: string[] }
  | { type: 'failed'; error: EncodedError }
  | { type: 'started'; at: number }
  | { type: 'progress'; value: unknown }
  | { type: 'log'; level: LogLevel; args: LogValue[] }
  | { type: 'result'; kind: ResultKind; value: unknown; endedAt: number }
  /** The result has more bytes than it may. */
  | { type: 'too-large'; bytes: number; endedAt: number }
  /** An error that nobody caught ends the process. */
  | { type: 'crashed'; error: EncodedError }

/** The file descriptor on which a function's process answers. */
export const ANSWERS_FD = 3

/** The one on which it is asked. Not standard input: what a function starts may be given that, and would read along. */
export const REQUESTS_FD = 4

/** How many it has in all that lead to the runner. */
export const STREAMS = 5

/** Bytes that a frame may have beside the result in it. */
export const FRAME_ROOM = 65_536
