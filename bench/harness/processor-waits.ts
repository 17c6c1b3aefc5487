import { closeSync, existsSync, openSync, readSync } from 'node:fs'

/** What Linux tells of a thread: nanoseconds that it ran, nanoseconds that it could have and had no processor, turns. */
const SCHEDSTAT = '/proc/thread-self/schedstat'
const MOST_CHARACTERS = 100

/** How long the thread that made it has waited for a processor. Elsewhere than on Linux nothing is known of that. */
export class ProcessorWaits {
  readonly #buffer = Buffer.alloc(MOST_CHARACTERS)
  readonly #file = existsSync(SCHEDSTAT) ? openSync(SCHEDSTAT, 'r') : undefined

  /** Milliseconds since the thread began; 0 where it is not known. */
  get waited(): number {
    if (this.#file === undefined) return 0
    const length = readSync(this.#file, this.#buffer, 0, MOST_CHARACTERS, 0)
    const [, waited] = this.#buffer.toString('latin1', 0, length).split(' ')
    return Number(waited) / 1e6
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }
}
