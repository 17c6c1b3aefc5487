/** A number that threads share: 0 at first. */
export function sharedWord(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
}

/** Sets it to 1, and wakes those that wait for that. */
export function tell(word: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(word, 0, 1)
  Atomics.notify(word, 0)
}
