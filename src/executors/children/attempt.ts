import type { AbortCause } from '../../protocol/messages.ts'
import type { Job, Place } from '../executor.ts'

/** A child process that runs a job. */
export interface Attempt {
  /** 0 until it has started. */
  readonly pid: number
  /** Milliseconds of the monotonic clock at which the function began; undefined when it has not. */
  readonly startedAt: number | undefined
  interrupt(reason: AbortCause): void
  /** Ends the process, whatever it does: the job MUST end. */
  kill(): void
}

/** Where a job is: in a process, or before one that gets ready. */
export class ProcessPlace implements Place {
  /** Undefined while it waits for one. */
  attempt: Attempt | undefined

  get cpid(): number {
    return this.attempt?.pid ?? 0
  }

  get startedAt(): number | undefined {
    return this.attempt?.startedAt
  }
}

export function placeOf({ place }: Job): ProcessPlace | undefined {
  return place instanceof ProcessPlace ? place : undefined
}
