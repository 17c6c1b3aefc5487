import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Milliseconds between two looks at the clock. */
const RESOLUTION = 1

/** By how many milliseconds the event loop was late. */
export interface LoopDelay {
  p50: number
  p99: number
  most: number
}

/** How late the event loop is for a timer of 1 ms while `work` goes on. */
export async function loopDelay(work: () => Promise<unknown>): Promise<LoopDelay> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
  histogram.enable()
  try {
    await work()
  } finally {
    histogram.disable()
  }
  if (histogram.count === 0) throw new Error('the event loop did not turn')
  // It counts from one time to the next, the pause that was asked for with it.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION)
  return { p50: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), most: late(histogram.max) }
}
