import { show } from './check.ts'

/**
 * Reads a span of time in milliseconds: 0 and `Infinity` are allowed, fractions are rounded up.
 *
 * @throws TypeError when it is not a number, RangeError when it is negative or `NaN`.
 */
export function checkTimeout(where: string, value: unknown): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${where} must be a number of milliseconds, got ${show(value)}`)
  }
  if (!(value >= 0)) {
    throw new RangeError(`${where} must be 0 or more milliseconds, or Infinity; got ${value}`)
  }
  return Math.ceil(value)
}

/**
 * Reads a span in which something has to happen, so 0 would leave no room for it.
 *
 * @throws TypeError when it is not a number, RangeError when it is 0, negative or `NaN`.
 */
export function checkDuration(where: string, value: unknown): number {
  const ms = checkTimeout(where, value)
  if (ms === 0) throw new RangeError(`${where} must be more than 0 milliseconds; leave it out for no limit`)
  return ms
}
