import type { Transferable } from 'node:worker_threads'
import type { Clock } from '../model/clock.ts'
import type { CallError } from '../model/errors.ts'
import type { EncodedError } from '../protocol/encoded-error.ts'
import type { LogValue } from '../protocol/log-values.ts'
import type { AbortCause, LogLevel } from '../protocol/messages.ts'
import type { RunnerLogger } from './runner-logger.ts'

/** What an executor sees of a call. */
export interface Job {
  readonly fn: string
  /** The same until the job ends: a job that had not begun when its thread died is sent again. */
  readonly args: readonly unknown[]
  readonly transfer: readonly Transferable[] | undefined
  /** Milliseconds the function may run, for it to read; `Infinity` for no limit. The runner watches it. */
  readonly abortAfter: number
  /** Where the job was sent. The executor's own; undefined while it waits in the queue. */
  place: Place | undefined
}

/** Where a job is, so that the runner can ask about it. */
export interface Place {
  /** The `cpid` of the call's ID. */
  readonly cpid: number
  /** Milliseconds of the monotonic clock at which the function began; undefined when it has not. */
  readonly startedAt: number | undefined
}

/** Where an executor gets its jobs from. */
export interface JobSource<J extends Job> {
  readonly size: number
  /** The job that `take` would give. */
  peek(): J | undefined
  take(): J | undefined
  /** Takes back a job that was sent and had not begun, to the place it had. */
  putBack(job: J): void
}

/** How a job ended, as its executor knows it. */
export type JobEnd =
  | { type: 'returned'; value: unknown }
  | { type: 'threw'; error: EncodedError }
  /** The executor killed it because it was asked to. */
  | { type: 'killed' }
  /** It did not come to an end of its own. `byItself`: it had been asked to end, and nobody had to kill it. */
  | { type: 'failed'; error: CallError; byItself?: boolean }

/**
 * What an executor tells.
 *
 * `ended` MUST be called exactly once for each job that was taken and not put back, and nothing about it after that
 * but `log`: what a function printed can arrive later than its value.
 */
export interface JobListener<J extends Job> {
  /** Whether somebody wants `started`. It MUST be told before the function's end then, and MAY be left out otherwise. */
  readonly wantsStarted: boolean
  /** The job was sent: from now on its function may begin. */
  sent(job: J): void
  started(job: J): void
  progress(job: J, value: unknown): void
  log(job: J, level: LogLevel, args: LogValue[]): void
  /** @param times left out when the function never began. */
  ended(job: J, end: JobEnd, times?: JobTimes): void
}

/** When a function ran, in milliseconds of the monotonic clock, and where. */
export interface JobTimes {
  /** The `cpid` of the call's ID. */
  cpid: number
  startedAt: number
  endedAt: number
}

/** What an executor is made with. */
export interface ExecutorPorts<J extends Job> {
  source: JobSource<J>
  listener: JobListener<J>
  clock: Clock
  logger: RunnerLogger
}

export interface ExecutorStats {
  size: number
  busy: number
}

/**
 * Runs jobs somewhere. It takes them from its source when it has room, highest first.
 *
 * Implementations MUST NOT run a job a second time once its function has begun, and MUST NOT throw from any method for
 * what a function did.
 */
export interface Executor<J extends Job> {
  /** Jobs that can run at once, when all threads or processes there may be are there. */
  readonly capacity: number
  /** The names of the functions, once they are known. */
  readonly functions: ReadonlySet<string> | undefined
  /** There are jobs to take. Cheap; called for each. */
  wake(): void
  /**
   * Hears what has arrived about a job and was not heard yet: it MUST tell `ended` if the job is known to have. At once;
   * or, where only the event loop can bring it, before the promise resolves, which takes it one turn.
   */
  look(job: J): void | Promise<void>
  /** Takes back a job whose function has not begun. True: it never will. False: it has, or it was not sent here. */
  revoke(job: J): boolean
  /** Asks a job that has begun to end. */
  interrupt(job: J, cause: AbortCause): void
  /** Ends a job that has begun, whatever it does. It MUST end, also when its thread does not react. */
  kill(job: J): void
  /** Resolves when jobs can run. Rejects with why they cannot. */
  ready(): Promise<void>
  stats(): ExecutorStats
  /** Ends all threads or processes. Called once, when every job has ended. */
  close(): Promise<void>
}
