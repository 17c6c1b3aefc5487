// @ts-check
// What the contenders run. Plain functions of one argument: each contender finds them in its own way. JavaScript, and so
// are the entries beside: a Node that has to take types out of what it loads takes about twice as long to start.

/** @returns {void} */
export function noop() {}

/**
 * Gives back what it got.
 *
 * @param {unknown} value
 * @returns {unknown}
 */
export function echo(value) {
  return value
}

/**
 * How many bytes it got.
 *
 * @param {Uint8Array} bytes
 * @returns {number}
 */
export function size(bytes) {
  return bytes.byteLength
}

/**
 * Keeps its thread busy for `ms` milliseconds.
 *
 * @param {number} ms
 * @returns {void}
 */
export function spin(ms) {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/**
 * Waits for a timer of `ms` milliseconds. `async`, which is how poolifier knows that there is a promise to await.
 *
 * @param {number} ms
 * @returns {Promise<void>}
 */
export async function timer(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

/**
 * Says in shared memory that it has begun, and never ends.
 *
 * @param {Int32Array<SharedArrayBuffer>} begun
 * @returns {never}
 */
export function busyLoop(begun) {
  Atomics.store(begun, 0, 1)
  for (;;);
}

/**
 * Ends when as many calls as `all` have come here, so each of them in a thread of its own.
 *
 * @param {{ arrived: Int32Array<SharedArrayBuffer>, all: number }} place
 * @returns {void}
 */
export function meet({ arrived, all }) {
  Atomics.add(arrived, 0, 1)
  Atomics.notify(arrived, 0)
  for (let count; (count = Atomics.load(arrived, 0)) < all;) Atomics.wait(arrived, 0, count)
}

/**
 * Ends when it is told to in shared memory, and leaves its thread to others until then.
 *
 * @param {Int32Array<SharedArrayBuffer>} told
 * @returns {Promise<void>}
 */
export async function untilTold(told) {
  await Atomics.waitAsync(told, 0, 0).value
}
