import type { Clock, Timer } from '../model/clock.ts'
import type { Call } from './call.ts'
import { ExpiryHeap } from './expiry-heap.ts'

export interface RetentionOptions {
  clock: Clock
  /** Calls that are kept at most. */
  limit: number
  /** Told of each call that is dropped for its age or for the limit. */
  onExpired: (call: Call) => void
}

/** Decides how long finished calls are kept: until their `retain` is over, or newer ones need the room. */
export class Retention {
  readonly #clock: Clock
  readonly #limit: number
  readonly #onExpired: (call: Call) => void
  /** In the order in which they ended. */
  readonly #kept = new Set<Call>()
  readonly #byExpiry = new ExpiryHeap()
  #timer: Timer | undefined
  #timerAt = Infinity

  constructor({ clock, limit, onExpired }: RetentionOptions) {
    this.#clock = clock
    this.#limit = limit
    this.#onExpired = onExpired
  }

  get size(): number {
    return this.#kept.size
  }

  keep(call: Call): void {
    this.#kept.add(call)
    if (call.retain < Infinity) {
      this.#byExpiry.add(call, call.endedAt + call.retain)
      this.#arm()
    }
    if (this.#kept.size > this.#limit) {
      const [oldest] = this.#kept
      this.#expire(oldest as Call)
    }
  }

  forget(call: Call): void {
    this.#kept.delete(call)
    this.#byExpiry.delete(call)
    if (this.#kept.size === 0) this.#disarm()
  }

  /** Drops what has expired by now. */
  sweep(): void {
    const now = this.#clock.now()
    for (let call = this.#byExpiry.takeExpired(now); call; call = this.#byExpiry.takeExpired(now)) this.#expire(call)
  }

  #expire(call: Call): void {
    this.forget(call)
    this.#onExpired(call)
  }

  #arm(): void {
    const at = this.#byExpiry.nextAt
    if (at === undefined || at >= this.#timerAt) return
    this.#disarm()
    this.#timerAt = at
    // What is only kept does not keep the process alive.
    this.#timer = this.#clock.setTimeout(() => this.#fire(), Math.max(1, at - this.#clock.now()), { ref: false })
  }

  #disarm(): void {
    this.#timer?.clear()
    this.#timer = undefined
    this.#timerAt = Infinity
  }

  #fire(): void {
    this.#disarm()
    this.sweep()
    this.#arm()
  }
}
