import type { CallId } from '../../model/call-id.ts'
import { systemClock, type Timer } from '../../model/clock.ts'
import type { QueuedCall } from './queued-call.ts'

/** A call of this client that has ended and can still be asked for. Its outcome is in Redis. */
export interface KeptCall {
  id: CallId
  fn: string
  timer: Timer | undefined
}

/** The calls of this client that can still be asked for: each goes when its time is over, or when there are too many. */
export class KeptCalls {
  readonly #limit: number
  readonly #onExpired: (jobId: string, kept: KeptCall) => void
  /** By job ID, the first to end first. */
  readonly #calls = new Map<string, KeptCall>()

  constructor(limit: number, onExpired: (jobId: string, kept: KeptCall) => void) {
    this.#limit = limit
    this.#onExpired = onExpired
  }

  get size(): number {
    return this.#calls.size
  }

  /** @param left milliseconds for which it is kept from now on. False if it is not kept at all. */
  keep({ id, jobId, fn }: QueuedCall, left: number): boolean {
    if (left <= 0 || this.#limit === 0) return false
    const timer = left < Infinity ? systemClock.setTimeout(() => this.#expire(jobId), left, { ref: false }) : undefined
    this.#calls.set(jobId, { id, fn, timer })
    if (this.#calls.size > this.#limit) {
      const [oldest = ''] = this.#calls.keys()
      this.#expire(oldest)
    }
    return true
  }

  forget(jobId: string): void {
    this.#calls.get(jobId)?.timer?.clear()
    this.#calls.delete(jobId)
  }

  clear(): void {
    for (const jobId of this.#calls.keys()) this.forget(jobId)
  }

  #expire(jobId: string): void {
    const kept = this.#calls.get(jobId)
    if (!kept) return
    this.forget(jobId)
    this.#onExpired(jobId, kept)
  }
}
