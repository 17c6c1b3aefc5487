/**
 * BullMQ takes the lowest first, and knows whole numbers up to 2^21. A call that waits counts for one priority more each
 * second, which is an order that does not change with time: that of the seconds at which they came, less their priorities.
 * They begin anew every 23 days; `sweep` puts those that wait then before the new ones.
 */
export const PRIORITIES = 2_000_000

/**
 * @param priority of the call, from -100 to 100.
 * @param now Unix time in milliseconds.
 */
export function jobPriority(priority: number, now: number): number {
  return ((Math.floor(now / 1_000) - priority) % PRIORITIES) + 1
}
