import { monotonicNow } from '../../model/clock.ts'
import { Patience } from '../../protocol/patience.ts'

/** Milliseconds for which it is looked for a result, from when the last was found or the last job was sent. */
const LOOK_FOR = 0.1

/** What the lookout sees of a lane. */
export interface Watched {
  /** The thread leaves results without waking anybody while this holds. */
  isWatched: boolean
  /** Hears of results that the thread has left. False when there are none. */
  hearResults(): boolean
}

/**
 * Looks for results once in each turn of the event loop while some are expected at any moment, and keeps the event loop
 * turning for that: to be woken takes several times as long as a small call. Whatever else there is to do goes on.
 */
export class Lookout {
  readonly #lanes: Iterable<Watched>
  readonly #patience: Patience
  #isLooking = false
  #hasFound = false
  #until = 0

  constructor(lanes: Iterable<Watched>, patience = new Patience()) {
    this.#lanes = lanes
    this.#patience = patience
  }

  /** Results are expected from now on. */
  expect(): void {
    if (this.#isLooking) {
      this.#until = monotonicNow() + LOOK_FOR
      return
    }
    if (!this.#patience.isWorthIt) return
    this.#until = monotonicNow() + LOOK_FOR
    this.#isLooking = true
    this.#hasFound = false
    this.#watch(true)
    setImmediate(this.#look)
  }

  readonly #look = (): void => {
    if (this.#hear()) {
      this.#hasFound = true
      this.#until = monotonicNow() + LOOK_FOR
    } else if (monotonicNow() > this.#until) {
      this.#rest()
      return
    }
    setImmediate(this.#look)
  }

  #rest(): void {
    this.#isLooking = false
    this.#watch(false)
    if (this.#hasFound) this.#patience.found()
    else this.#patience.missed()
    // What was left before that has woken nobody.
    this.#hear()
  }

  #hear(): boolean {
    let hasHeard = false
    for (const lane of this.#lanes) if (lane.hearResults()) hasHeard = true
    return hasHeard
  }

  #watch(isWatched: boolean): void {
    for (const lane of this.#lanes) lane.isWatched = isWatched
  }
}
