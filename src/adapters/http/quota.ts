/** Counts what is under way, of each principal and in all. */
export class Quota {
  readonly #perPrincipal: number
  readonly #inAll: number
  /** Only those that have something under way. */
  readonly #counts = new Map<string, number>()
  #count = 0

  constructor(perPrincipal: number, inAll: number) {
    this.#perPrincipal = perPrincipal
    this.#inAll = inAll
  }

  get count(): number {
    return this.#count
  }

  /** Takes a place. False when there is none: then nothing is to be given back. */
  take(principal: string): boolean {
    const count = this.#counts.get(principal) ?? 0
    if (count >= this.#perPrincipal || this.#count >= this.#inAll) return false
    this.#counts.set(principal, count + 1)
    this.#count += 1
    return true
  }

  giveBack(principal: string): void {
    const count = this.#counts.get(principal) ?? 0
    if (count > 1) this.#counts.set(principal, count - 1)
    else this.#counts.delete(principal)
    this.#count -= 1
  }
}
