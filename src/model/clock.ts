/** A source of time and of timers. Tests hand in one that they move by hand. */
export interface Clock {
  /** Milliseconds on a monotonic scale that all threads of the process share. */
  now(): number
  /** Calls `callback` once, `ms` milliseconds from now. Any finite `ms` is fine, also above 2^31 - 1. */
  setTimeout(callback: () => void, ms: number, options?: TimerOptions): Timer
}

export interface TimerOptions {
  /** Whether the pending timer keeps the process alive. Default: true. */
  ref?: boolean
}

export interface Timer {
  /** Stops the timer. Stopping twice, or after it fired, does nothing. */
  clear(): void
}

/** The longest delay that Node's timers take; a longer one fires at once there. */
export const LONGEST_DELAY = 2 ** 31 - 1

/** Milliseconds of the process's monotonic clock: the same scale in every thread, unlike `performance.now()`. */
export function monotonicNow(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1_000_000
}

export const systemClock: Clock = {
  now: monotonicNow,

  setTimeout(callback, ms, { ref = true } = {}) {
    // Node drops fractions, so that the timer would fire before it is time.
    let left = Math.ceil(ms)
    let timer: NodeJS.Timeout

    const arm = (): void => {
      const part = Math.min(left, LONGEST_DELAY)
      left -= part
      timer = setTimeout(left > 0 ? arm : callback, part)
      if (!ref) timer.unref()
    }

    arm()
    return { clear: () => clearTimeout(timer) }
  },
}
