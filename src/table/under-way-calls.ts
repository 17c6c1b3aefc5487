import type { Call } from './call.ts'

/** The calls that have not ended, in no order. Each knows its place: see `AdmittedCalls` for why this is no Set. */
export class UnderWayCalls {
  readonly #calls: Call[] = []

  get size(): number {
    return this.#calls.length
  }

  add(call: Call): void {
    call.underWayAt = this.#calls.push(call) - 1
  }

  /** @param call that is here. */
  delete(call: Call): void {
    const last = this.#calls.pop() as Call
    if (last === call) return
    this.#calls[call.underWayAt] = last
    last.underWayAt = call.underWayAt
  }

  /** As they are now, whatever ends on the way. */
  [Symbol.iterator](): Iterator<Call> {
    return [...this.#calls].values()
  }
}
