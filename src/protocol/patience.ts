import { availableParallelism } from 'node:os'

/** How far looks that found something can make up for later ones in vain; each of those takes two away. */
const MOST_CREDIT = 8
const COST_OF_A_MISS = 2
/** Looks that are left out at a time when there is no credit left: twice as many each time, up to this. */
const MOST_LEFT_OUT = 64

/**
 * Whether it pays to look for something instead of going to sleep: as long as it is found two times out of three. When
 * it is not, looks are left out, and one is tried now and then.
 *
 * It never pays on one processor: whoever looks keeps those from running who are looked for.
 */
export class Patience {
  readonly #isAlone: boolean
  #credit = MOST_CREDIT
  #pause = 1
  #toLeaveOut = 0

  constructor(processors = availableParallelism()) {
    this.#isAlone = processors === 1
  }

  /** Asked before each look. */
  get isWorthIt(): boolean {
    if (this.#isAlone) return false
    if (this.#toLeaveOut === 0) return true
    this.#toLeaveOut -= 1
    return false
  }

  found(): void {
    this.#credit = Math.min(MOST_CREDIT, this.#credit + 1)
    this.#pause = 1
  }

  missed(): void {
    this.#credit = Math.max(0, this.#credit - COST_OF_A_MISS)
    if (this.#credit > 0) return
    this.#toLeaveOut = this.#pause
    this.#pause = Math.min(MOST_LEFT_OUT, 2 * this.#pause)
  }
}
