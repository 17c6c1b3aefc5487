const FIRST = 50
const LONGEST = 1_000

/**
 * Milliseconds before the next try, after `failures` of them in a row: twice as long each time, and never for two alike.
 *
 * @param most milliseconds. Default: 1,000.
 */
export function backoff(failures: number, most = LONGEST): number {
  const longest = Math.min(most, FIRST * 2 ** (failures - 1))
  return longest * (0.5 + Math.random() / 2)
}

/** Somewhat longer than was asked for, so that those who were sent away together do not come back together. */
export function withJitter(ms: number): number {
  return ms * (1 + Math.random() / 4)
}

/** Milliseconds that a `Retry-After` header says, in seconds or as a date; undefined without one. */
export function retryAfter(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || header === '') return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
