import type { Job } from 'bullmq'
import type { CallId } from '../../model/call-id.ts'
import { monotonicNow, type Timer } from '../../model/clock.ts'
import type { JobData } from './job-data.ts'
import type { CancelWord } from './served-store.ts'

/** A call that this machine has taken from the queue, until it has ended or gone back. */
export class ServedCall {
  readonly job: Job<JobData>
  readonly token: string
  readonly jobId: string
  /** Its ID with the runner of this machine, once that has it. */
  id: CallId | undefined
  /** A cancel that came before that. */
  cancel: CancelWord | undefined
  /** Unix time in milliseconds by the clock of the Redis server: when the runner got it, and when it began. */
  takenAt = 0
  startedAt: number | undefined
  /** Microseconds that it ran. */
  runTime: number | undefined
  /** Until the queue is told that it began, if it has not ended before. */
  begunTimer: Timer | undefined
  isBegunTold = false
  /** How often it was taken and given back without having begun. */
  returned = 0
  /** Until when, on the monotonic clock, no other machine can have it. */
  leaseUntil: number
  isLost = false
  /** What is on its way to Redis about it, in order. */
  writing: Promise<unknown> | undefined

  constructor(job: Job<JobData>, token: string, lockDuration: number) {
    this.job = job
    this.token = token
    this.jobId = job.id ?? ''
    this.leaseUntil = monotonicNow() + lockDuration
  }
}
