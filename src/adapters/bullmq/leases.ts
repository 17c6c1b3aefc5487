import { Worker, type WorkerOptions, type Processor } from 'bullmq'
import { monotonicNow } from '../../model/clock.ts'

export interface LeaseListener {
  /** The locks of these jobs were asked to be renewed at this time of the monotonic clock, and were. */
  renewed(jobIds: readonly string[], askedAt: number): void
  /** These jobs are this machine's no more. */
  lost(jobIds: readonly string[]): void
}

/** A worker of BullMQ that tells when it has asked for its locks: from then on they hold, not from the answer. */
export class LeasingWorker extends Worker {
  readonly #listener: LeaseListener

  constructor(queue: string, processor: Processor, options: WorkerOptions, listener: LeaseListener) {
    super(queue, processor, options)
    this.#listener = listener
  }

  override async extendJobLocks(jobIds: string[], tokens: string[], duration: number): Promise<string[]> {
    const askedAt = monotonicNow()
    const lost = await super.extendJobLocks(jobIds, tokens, duration)
    if (lost.length > 0) this.#listener.lost(lost)
    const held = jobIds.filter((jobId) => !lost.includes(jobId))
    if (held.length > 0) this.#listener.renewed(held, askedAt)
    return lost
  }
}
