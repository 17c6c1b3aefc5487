import type { Clock } from '../../model/clock.ts'
import { KEY_REMEMBERED } from '../wire/headers.ts'

/** Keys that are remembered at most. One takes some 250 bytes. */
const MOST = 100_000

/**
 * Which calls were started by which keys, where calls are kept for less time than a client may need that got no answer: it
 * would run the call again.
 */
export class Keys {
  readonly #clock: Clock
  /** Those that were not used the longest first. */
  readonly #used = new Map<string, { id: string; at: number }>()
  readonly #byId = new Map<string, string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#used.size
  }

  /** The call that was started by a key. */
  get(key: string): string | undefined {
    this.#drop()
    return this.#used.get(key)?.id
  }

  remember(key: string, id: string): void {
    this.#delete(key)
    this.#used.set(key, { id, at: this.#clock.now() })
    this.#byId.set(id, key)
    this.#drop()
  }

  /** The key of a call that its owner has dropped can stand for another. */
  free(id: string): void {
    const key = this.#byId.get(id)
    if (key !== undefined) this.#delete(key)
  }

  #drop(): void {
    const over = this.#clock.now() - KEY_REMEMBERED
    for (const [key, { at }] of this.#used) {
      if (at > over && this.#used.size <= MOST) break
      this.#delete(key)
    }
  }

  #delete(key: string): void {
    const used = this.#used.get(key)
    this.#used.delete(key)
    if (used) this.#byId.delete(used.id)
  }
}
