import { percentiles } from './percentiles.ts'

export interface Load {
  /** Calls under way at any time. */
  inFlight: number
  /** Milliseconds of warming up, of which nothing is kept, and of measuring. */
  warmUp: number
  duration: number
}

export interface LoadFigures {
  rate: number
  p50: number
  p99: number
  p999: number
}

/** Samples that are kept: more than a contender ends in the time that is measured, or the first so many. */
const MOST_SAMPLES = 5_000_000

/**
 * Keeps so many calls under way: each that ends begins the next.
 *
 * @returns calls per second, and how long a call took in microseconds.
 */
export async function underLoad(call: () => Promise<unknown>, load: Load): Promise<LoadFigures> {
  const { inFlight, warmUp, duration } = load
  await keepUp(call, inFlight, performance.now() + warmUp)
  const samples = new Float64Array(MOST_SAMPLES)
  let count = 0
  const began = performance.now()
  await keepUp(call, inFlight, began + duration, (took) => {
    if (count < MOST_SAMPLES) samples[count] = took * 1_000
    count += 1
  })
  const took = performance.now() - began
  const kept = samples.subarray(0, Math.min(count, MOST_SAMPLES))
  return { rate: (count / took) * 1_000, ...percentiles(kept, { p50: 0.5, p99: 0.99, p999: 0.999 }) }
}

/** Keeps so many calls under way until a time of `performance.now()`, and tells how many milliseconds each took. */
export async function keepUp(
  call: () => Promise<unknown>,
  inFlight: number,
  until: number,
  ended: (took: number) => void = () => {},
): Promise<void> {
  const chain = async (): Promise<void> => {
    for (let began = performance.now(); began < until;) {
      await call()
      const now = performance.now()
      ended(now - began)
      began = now
    }
  }
  await Promise.all(Array.from({ length: inFlight }, chain))
}
