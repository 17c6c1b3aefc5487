import type { Call } from './call.ts'

interface Entry {
  call: Call
  /** Milliseconds of the monotonic clock. */
  at: number
  index: number
}

/** Kept calls by the time at which they expire: a binary heap that can also give up any one of them. */
export class ExpiryHeap {
  readonly #heap: Entry[] = []
  readonly #entries = new Map<Call, Entry>()

  /** The time at which the first one expires. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at
  }

  add(call: Call, at: number): void {
    const entry = { call, at, index: this.#heap.length }
    this.#entries.set(call, entry)
    this.#heap.push(entry)
    this.#rise(entry)
  }

  /** Takes the call out, if it is here. */
  delete(call: Call): void {
    const entry = this.#entries.get(call)
    if (!entry) return
    this.#entries.delete(call)
    const last = this.#heap.pop() as Entry
    if (last === entry) return
    this.#put(last, entry.index)
    this.#rise(last)
    this.#sink(last)
  }

  /** Takes out the first call if it has expired at `now`. */
  takeExpired(now: number): Call | undefined {
    const first = this.#heap[0]
    if (!first || first.at > now) return undefined
    this.delete(first.call)
    return first.call
  }

  #rise(entry: Entry): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1] as Entry
      if (parent.at <= entry.at) return
      this.#swap(entry, parent)
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.index + 1]
      const right = this.#heap[2 * entry.index + 2]
      const child = right && left && right.at < left.at ? right : left
      if (!child || child.at >= entry.at) return
      this.#swap(entry, child)
    }
  }

  #swap(a: Entry, b: Entry): void {
    const { index } = a
    this.#put(a, b.index)
    this.#put(b, index)
  }

  #put(entry: Entry, index: number): void {
    entry.index = index
    this.#heap[index] = entry
  }
}
