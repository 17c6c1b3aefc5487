import { Worker, type Job, type WorkerOptions, type Processor } from 'bullmq'
import { monotonicNow } from '../../model/clock.ts'

export interface LeaseListener {
  /** This job is this machine's now. It is processed after that. */
  taken(job: Job): void
  /** The locks of these jobs were asked to be renewed at this time of the monotonic clock, and were. */
  renewed(jobIds: readonly string[], askedAt: number): void
  /** These jobs are this machine's no more. */
  lost(jobIds: readonly string[]): void
}

/** A worker of BullMQ that tells of its jobs before it processes them, and when it has asked for its locks: from then on they hold, not from the answer. */
export class LeasingWorker extends Worker {
  readonly #listener: LeaseListener
  /** Jobs that are processed, by their IDs. */
  readonly #processing = new Map<string, Promise<unknown>>()

  constructor(queue: string, processor: Processor, options: WorkerOptions, listener: LeaseListener) {
    super(queue, processor, options)
    this.#listener = listener
    this.on('active', (job) => listener.taken(job))
  }

  /** Two attempts at one job come one after the other: BullMQ knows locks by job IDs, and drops one with the other. */
  override async processJob(job: Job, token: string, fetchNext?: () => boolean): Promise<void | Job> {
    const { id = '' } = job
    for (let before = this.#processing.get(id); before; before = this.#processing.get(id)) await before.catch(() => {})
    const processing = super.processJob(job, token, fetchNext)
    this.#processing.set(id, processing)
    try {
      return await processing
    } finally {
      this.#processing.delete(id)
    }
  }

  /** Whether Redis is still to be told of an end, or of where a job went. */
  get isProcessing(): boolean {
    return this.#processing.size > 0
  }

  /** Ends what `close` does not come to while it waits for Redis. */
  async abandon(): Promise<void> {
    await this.pause(true)
    await this.lockManager.close()
    await this.backend.close(true)
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
