import type { Clock } from '../model/clock.ts'
import type { CallError } from '../model/errors.ts'

const FIRST_PAUSE = 100
const LONGEST_PAUSE = 30_000

/** Remembers that threads or processes failed to start, so that they are not started over and over: each failure doubles the pause. */
export class StartFailures {
  readonly #clock: Clock
  #count = 0
  #last: CallError | undefined
  #pauseUntil = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  failed(error: CallError): void {
    this.#last = error
    this.#pauseUntil = this.#clock.now() + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#count)
    this.#count += 1
  }

  succeeded(): void {
    this.#count = 0
    this.#last = undefined
  }

  /** Failures since the last success. */
  get count(): number {
    return this.#count
  }

  /** Why none is to be started now; undefined when one may be. */
  get reasonToPause(): CallError | undefined {
    return this.pauseLeft > 0 ? this.#last : undefined
  }

  /** Milliseconds until one may be started. */
  get pauseLeft(): number {
    return this.#last === undefined ? 0 : Math.max(0, this.#pauseUntil - this.#clock.now())
  }
}
