/** How much the newest call counts in a function's estimate. */
const WEIGHT = 0.2

/** How long each function takes, going by its calls so far: a moving average, in microseconds. */
export class RunTimes {
  readonly #estimates = new Map<string, number>()

  /** Undefined for a function of which no call has ended. */
  estimate(fn: string): number | undefined {
    return this.#estimates.get(fn)
  }

  record(fn: string, microseconds: number): void {
    const before = this.#estimates.get(fn)
    this.#estimates.set(fn, before === undefined ? microseconds : before + (microseconds - before) * WEIGHT)
  }
}
