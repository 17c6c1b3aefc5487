/** Keys that are remembered: a power of 2. */
const SIZE = 256

/**
 * Reads the names of properties. The same few come again and again: one that is known is found by its bytes, and no text
 * is made, nor looked up by V8 among all the names it knows.
 */
export class KeyCache {
  readonly #bytes: Buffer
  readonly #keys: (string | undefined)[] = Array<undefined>(SIZE).fill(undefined)

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** The text that the bytes from `begin` to `end` are in Latin-1. */
  read(begin: number, end: number): string {
    let hash = end - begin
    for (let at = begin; at < end; at++) hash = (Math.imul(hash, 31) + (this.#bytes[at] as number)) | 0
    const place = hash & (SIZE - 1)
    const known = this.#keys[place]
    if (known !== undefined && this.#isAt(known, begin, end)) return known
    const key = this.#bytes.toString('latin1', begin, end)
    this.#keys[place] = key
    return key
  }

  #isAt(key: string, begin: number, end: number): boolean {
    if (key.length !== end - begin) return false
    for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) !== this.#bytes[begin + i]) return false
    return true
  }
}
