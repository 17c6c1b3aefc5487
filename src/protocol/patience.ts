import { availableParallelism } from 'node:os'

/** Looks in vain in a row after which some are left out, and how many of them at most. */
const PATIENT_FOR = 4
const MOST_LEFT_OUT = 64

/**
 * Whether it pays to look for something instead of going to sleep: as long as it was found often enough. After looks in
 * vain more and more of them are left out; one that finds something sets all right again.
 *
 * On one processor it never pays: who looks keeps those from running who are looked for.
 */
export class Patience {
  readonly #isAlone: boolean
  #inVain = 0
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
    this.#inVain = 0
  }

  missed(): void {
    this.#inVain += 1
    if (this.#inVain >= PATIENT_FOR) this.#toLeaveOut = Math.min(MOST_LEFT_OUT, 2 ** (this.#inVain - PATIENT_FOR))
  }
}
