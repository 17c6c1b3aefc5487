import type { Call } from './call.ts'

/**
 * All calls there are, in the order of their admission: a list whose links are in the calls themselves.
 *
 * This is no Map, and a `Bag` no Set, since each call goes through both. V8 links each table of a Map that it replaces to the one that follows. Once one of those has grown old before it dies, all later tables and the
 * calls in them live on until the next full collection, and every small collection copies them.
 */
export class AdmittedCalls {
  #first: Call | undefined
  #last: Call | undefined

  /** @param call admitted after all that are here. */
  add(call: Call): void {
    call.before = this.#last
    if (this.#last) this.#last.after = call
    else this.#first = call
    this.#last = call
  }

  has(call: Call): boolean {
    return call.before !== undefined || call === this.#first
  }

  /** Does nothing for a call that is not here. */
  delete(call: Call): void {
    if (!this.has(call)) return
    const { before, after } = call
    if (before) before.after = after
    else this.#first = after
    if (after) after.before = before
    else this.#last = before
    call.before = undefined
    call.after = undefined
  }

  /** Those that were admitted after the one of that number. */
  *after(seq: number): Iterable<Call> {
    for (let call = this.#first; call; call = call.after) if (call.seq > seq) yield call
  }
}
