/** When a question was sent, as far as the node may have had it by that: it knows it again for a while. */
export class Sendings {
  /** In their order. */
  readonly #all = new Set<{ at: number }>()
  readonly #remembered: number

  /** @param remembered milliseconds for which the node knows a question that it had. */
  constructor(remembered: number) {
    this.#remembered = remembered
  }

  /** It is sent. What is returned is to be called when it turns out that the node has not had it. */
  add(at: number): () => void {
    const sending = { at }
    this.#all.add(sending)
    return () => void this.#all.delete(sending)
  }

  /** Whether the node, if the question comes at that time, knows whether it had it before. */
  allow(at: number): boolean {
    const [first] = this.#all
    return first === undefined || at <= first.at + this.#remembered
  }
}
