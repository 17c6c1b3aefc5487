import { setImmediate } from 'node:timers/promises'
import type { Clock, Timer, TimerOptions } from '../../src/model/clock.ts'

/** No test needs so many timers. */
const MANY = 50_000

interface FakeTimer {
  at: number
  ref: boolean
  callback: () => void
}

/** A clock that a test moves by hand. */
export class FakeClock implements Clock {
  // Not 0, so that a time that was forgotten is not taken for the first one.
  #now = 5_000
  /** In the order in which they were made. */
  readonly #timers = new Set<FakeTimer>()

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, ms: number, { ref = true }: TimerOptions = {}): Timer {
    if (!Number.isFinite(ms)) throw new RangeError(`a timer of ${ms} ms never fires`)
    const timer = { at: this.#now + Math.max(0, ms), ref, callback }
    this.#timers.add(timer)
    return { clear: () => void this.#timers.delete(timer) }
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size
  }

  /** Those of them that keep the process alive. */
  get pendingRef(): number {
    return [...this.#timers].filter(({ ref }) => ref).length
  }

  /** The time at which the next timer fires. */
  get nextAt(): number | undefined {
    return this.#next()?.at
  }

  /** Moves on by `ms`. Timers fire on the way, in the order of their times; after each, promises settle. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    let fired = 0
    await this.settle()
    for (let timer = this.#next(); timer && timer.at <= until; timer = this.#next()) {
      this.#timers.delete(timer)
      this.#now = timer.at
      timer.callback()
      await this.settle()
      fired += 1
      if (fired === MANY) throw new Error(`${MANY} timers fired within ${ms} ms: one of them goes on for ever`)
    }
    this.#now = until
  }

  /** Moves on without letting any timer fire, as when the event loop is held up. */
  skip(ms: number): void {
    this.#now += ms
  }

  /** Lets all promises settle that can. */
  async settle(): Promise<void> {
    await setImmediate()
  }

  #next(): FakeTimer | undefined {
    let next: FakeTimer | undefined
    for (const timer of this.#timers) if (!next || timer.at < next.at) next = timer
    return next
  }
}
