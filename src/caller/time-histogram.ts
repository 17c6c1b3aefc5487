import { createHistogram } from 'node:perf_hooks'
import type { TimeStats } from '../model/runner.ts'

/** Microseconds, by how often they occurred. */
export class TimeHistogram {
  readonly #histogram = createHistogram()

  record(microseconds: number): void {
    // The histogram begins at 1.
    this.#histogram.record(Math.max(1, microseconds))
  }

  get stats(): TimeStats {
    const { count, max } = this.#histogram
    if (count === 0) return { count, p50: 0, p99: 0, max: 0 }
    return { count, p50: this.#histogram.percentile(50), p99: this.#histogram.percentile(99), max }
  }
}
