import { systemClock, type Timer } from '../../model/clock.ts'
import type { QueueStore } from './queue-store.ts'

/** Milliseconds that a settled call waits for something else to be asked of Redis. */
const SETTLED_WITHIN = 20

// What cannot be dropped now is swept away by the machines that serve the queue.
const givenUp = (): void => undefined

/** Drops finished calls from Redis, several at once. Nobody waits for it. */
export class Dropping {
  readonly #store: QueueStore
  /** Those that nobody but their starters knew of. They go along with the next call that is handed in. */
  #settled: string[] = []
  /** Those that nobody can ask for any more, and somebody may try to: they go before anybody hears of it. */
  #expired: string[] = []
  #timer: Timer | undefined

  constructor(store: QueueStore) {
    this.#store = store
  }

  /** @param isKnown whether somebody has the call's ID. */
  add(jobId: string, isKnown: boolean): void {
    if (isKnown) {
      this.#expired.push(jobId)
      if (this.#expired.length === 1) queueMicrotask(() => this.#flushExpired())
    } else {
      this.#settled.push(jobId)
      this.#timer ??= systemClock.setTimeout(() => this.flush(), SETTLED_WITHIN)
    }
  }

  /** Those that whoever asks Redis for something takes along. */
  takeSettled(): readonly string[] {
    const settled = this.#settled
    this.#settled = []
    this.#timer?.clear()
    this.#timer = undefined
    return settled
  }

  /** Asks Redis now, before whatever else it is asked after this. */
  flush(): void {
    const settled = this.takeSettled()
    if (settled.length > 0) this.#store.settle(settled).catch(givenUp)
    this.#flushExpired()
  }

  #flushExpired(): void {
    const expired = this.#expired
    this.#expired = []
    if (expired.length > 0) this.#store.forgetAll(expired).catch(givenUp)
  }
}
