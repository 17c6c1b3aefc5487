/** Words of a ring before its entries: each counter on a cache line of its own, as each is written by another side. */
const HEAD = 0
const TAIL = 16
const ENTRIES = 32

/**
 * A queue of slots in shared memory, from one side of a lane to the other. One thread puts in, one other takes out; an
 * entry is a slot and the generation under which it is meant.
 */
export class SlotRing {
  /** The entry that `take` took. */
  slot = 0
  generation = 0
  readonly #words: Int32Array
  readonly #mask: number

  /** @param capacity entries there is room for: a power of 2. */
  constructor(buffer: SharedArrayBuffer, offset: number, capacity: number) {
    this.#words = new Int32Array(buffer, offset, ENTRIES + 2 * capacity)
    this.#mask = capacity - 1
  }

  static bytesFor(capacity: number): number {
    return (ENTRIES + 2 * capacity) * Int32Array.BYTES_PER_ELEMENT
  }

  /** Where the next entry will be put in: a counter of 32 bits. */
  get tail(): number {
    return Atomics.load(this.#words, TAIL)
  }

  /** Where the next entry will be taken out. */
  get head(): number {
    return Atomics.load(this.#words, HEAD)
  }

  get isFull(): boolean {
    return ((this.tail - this.head) | 0) > this.#mask
  }

  /** There MUST be room. What was written before can be read by whoever takes the entry. */
  push(slot: number, generation: number): void {
    const { tail } = this
    const at = ENTRIES + 2 * (tail & this.#mask)
    this.#words[at] = slot
    this.#words[at + 1] = generation
    Atomics.store(this.#words, TAIL, (tail + 1) | 0)
  }

  /** Takes the next entry. False when there is none. */
  take(): boolean {
    const { head } = this
    if (head === this.tail) return false
    const at = ENTRIES + 2 * (head & this.#mask)
    this.slot = this.#words[at] as number
    this.generation = this.#words[at + 1] as number
    Atomics.store(this.#words, HEAD, (head + 1) | 0)
    return true
  }
}
