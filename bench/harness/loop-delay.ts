import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Milliseconds between two looks at the clock. */
const RESOLUTION = 1

/** By how many milliseconds the event loop was late. */
export interface LoopDelay {
  p50: number
  p99: number
  most: number
  /** The longest that its thread was at work between two turns: what is left when nobody else takes its processor. */
  own: number
}

/** How late the event loop is for a timer of 1 ms while `work` goes on. */
export async function loopDelay(work: () => Promise<unknown>): Promise<LoopDelay> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
  const longestWork = watchWork()
  histogram.enable()
  let own: number
  try {
    await work()
  } finally {
    histogram.disable()
    own = longestWork()
  }
  if (histogram.count === 0) throw new Error('the event loop did not turn')
  // It counts from one time to the next, the pause that was asked for with it.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION)
  return { p50: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), most: late(histogram.max), own }
}

/** Looks at the thread's processor time once a turn. Call what it returns for the longest turn, in milliseconds. */
function watchWork(): () => number {
  let last = ownTime()
  let longest = 0
  const timer = setInterval(() => {
    const now = ownTime()
    longest = Math.max(longest, now - last)
    last = now
  }, RESOLUTION)
  return () => {
    clearInterval(timer)
    return longest
  }
}

/** Milliseconds that this thread has had a processor. */
function ownTime(): number {
  const { user, system } = (process as unknown as WithThreadTime).threadCpuUsage()
  return (user + system) / 1_000
}

// Not in the declarations, which are those of the oldest release that is supported.
interface WithThreadTime {
  threadCpuUsage(): { user: number; system: number }
}
