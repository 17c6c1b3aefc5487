import { monotonicNow } from '../../model/clock.ts'
import { Patience } from '../../protocol/patience.ts'

/** Milliseconds for which it is looked for a result, from when the last was found or the last job was sent. */
const LOOK_FOR = 0.1

/** Milliseconds between two turns of the event loop that show that there is something else to do. */
const INTERRUPTED = 1

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
  readonly #now: () => number
  #isLooking = false
  #hasFound = false
  #until = 0
  #lookedAt = 0

  /** @param now milliseconds, of the processor's time: not of a clock that somebody moves by hand. */
  constructor(lanes: Iterable<Watched>, patience = new Patience(), now = monotonicNow) {
    this.#lanes = lanes
    this.#patience = patience
    this.#now = now
  }

  /** Results are expected from now on. */
  expect(): void {
    if (!this.#isLooking && !this.#patience.isWorthIt) return
    const now = this.#now()
    this.#until = now + LOOK_FOR
    if (this.#isLooking) return
    this.#isLooking = true
    this.#hasFound = false
    // The rest of this turn is no sign of anything.
    this.#lookedAt = Infinity
    this.#watch(true)
    setImmediate(this.#look)
  }

  readonly #look = (): void => {
    const hasHeard = this.#hear()
    const now = this.#now()
    const wasInterrupted = now - this.#lookedAt > INTERRUPTED
    this.#lookedAt = now
    if (hasHeard) {
      this.#hasFound = true
      this.#until = now + LOOK_FOR
    }
    if (wasInterrupted || now > this.#until) this.#rest(this.#hasFound && !wasInterrupted)
    else setImmediate(this.#look)
  }

  #rest(hasPaid: boolean): void {
    this.#isLooking = false
    this.#watch(false)
    if (hasPaid) this.#patience.found()
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
