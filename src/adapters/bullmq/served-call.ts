import type { Job } from 'bullmq'
import type { CallId } from '../../model/call-id.ts'
import { monotonicNow } from '../../model/clock.ts'
import type { JobData } from './job-data.ts'
import type { Returned } from './job-ends.ts'
import type { CancelWord } from './served-store.ts'

/** A call that this machine has taken from the queue, until it has ended or gone back. */
export class ServedCall {
  readonly job: Job<JobData>
  readonly token: string
  readonly jobId: string
  /** Its end, once it was begun. */
  served: Promise<Returned> | undefined
  /** Its ID with the runner of this machine, once that has answered for it. */
  id: CallId | undefined
  /** The IDs by which the events of that runner tell of it. */
  readonly ids = new Set<CallId>()
  /** A cancel that came before that. */
  cancel: CancelWord | undefined
  /** Unix time in milliseconds by the clock of the Redis server: when the runner got it, and until when it had not begun. */
  takenAt = 0
  waitedUntil = 0
  /** Microseconds that it waited in the runner, and ran. */
  times: { queueTime: number; runTime: number } | undefined
  isBegunTold = false
  /** How often it was taken and given back without having begun. */
  returned = 0
  /** Until when, on the monotonic clock, no other machine can have it. */
  leaseUntil: number
  isLost = false
  /** What is on its way to Redis about it, in order. */
  writing: Promise<unknown> | undefined

  constructor(job: Job<JobData>, lockDuration: number) {
    this.job = job
    this.token = job.token ?? ''
    this.jobId = job.id ?? ''
    this.leaseUntil = monotonicNow() + lockDuration
  }
}
