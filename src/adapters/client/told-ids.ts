import type { CallId } from '../../model/call-id.ts'

/** IDs that are remembered at most. */
const MOST = 10_000

/**
 * IDs that somebody here was told while calls were being started. Which of those calls they are for shows only when the
 * start is answered: such a call is kept, as whoever knows its ID may come back for it.
 */
export class ToldIds {
  readonly #ids = new Set<CallId>()
  #starts = 0

  /** A start is sent. It is over with `settled`. */
  starting(): void {
    this.#starts += 1
  }

  settled(): void {
    this.#starts -= 1
    if (this.#starts === 0) this.#ids.clear()
  }

  tell(id: CallId): void {
    if (this.#starts === 0) return
    this.#ids.add(id)
    if (this.#ids.size > MOST) this.#ids.delete(this.#ids.keys().next().value as CallId)
  }

  has(id: CallId): boolean {
    return this.#ids.has(id)
  }
}
