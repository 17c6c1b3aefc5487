/** What can be in a bag; in one at a time. */
export interface Bagged {
  /** Its place in the bag. */
  at: number
}

/** Things in no order. Each knows its place, so that it is taken out at once. See `AdmittedCalls` for why this is no Set. */
export class Bag<T extends Bagged> {
  readonly #things: T[] = []

  get size(): number {
    return this.#things.length
  }

  add(thing: T): void {
    thing.at = this.#things.push(thing) - 1
  }

  /** @param thing that is here. */
  delete(thing: T): void {
    const last = this.#things.pop() as T
    if (last === thing) return
    this.#things[thing.at] = last
    last.at = thing.at
  }

  /** As they are now, whatever is taken out on the way. */
  [Symbol.iterator](): Iterator<T> {
    return [...this.#things].values()
  }
}
