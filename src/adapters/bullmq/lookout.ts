import { monotonicNow, systemClock, type Timer } from '../../model/clock.ts'
import type { QueuedCall } from './queued-call.ts'

export interface LookoutParts {
  /** The calls that somebody wants to hear of. */
  calls: () => Iterable<QueuedCall>
  /** Looks at the job of a call. Never rejects. */
  look: (call: QueuedCall) => Promise<void>
  /** Repeats the cancel of a call. Never rejects. */
  repeat: (call: QueuedCall) => Promise<void>
}

/** Milliseconds between two rounds, and between two looks at one call: the first, and the longest. */
const ROUND = 500
const SOON = 1_000
const LONGEST = 15_000

/** Events are hints. This looks for itself at the calls under way, each at growing intervals. */
export class Lookout {
  readonly #parts: LookoutParts
  #timer: Timer | undefined

  constructor(parts: LookoutParts) {
    this.#parts = parts
  }

  watch(call: QueuedCall): void {
    call.patience = SOON
    call.nextLook = monotonicNow() + SOON
    this.#plan()
  }

  /** Something may have been missed: looks at all calls in the next round. */
  lookSoon(): void {
    for (const call of this.#parts.calls()) this.watch(call)
    for (const call of this.#parts.calls()) call.nextLook = 0
  }

  stop(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  #plan(): void {
    this.#timer ??= systemClock.setTimeout(() => void this.#round(), ROUND)
  }

  async #round(): Promise<void> {
    const now = monotonicNow()
    const looks: Promise<void>[] = []
    for (const call of this.#parts.calls()) {
      if (call.nextLook > now) continue
      call.patience = Math.min(LONGEST, Math.max(SOON, call.patience * 2))
      call.nextLook = now + call.patience
      looks.push(call.cancel ? this.#parts.repeat(call) : this.#parts.look(call))
    }
    // A look can take long, and the next one is not to come on top of it.
    await Promise.all(looks)
    if (!this.#timer) return
    this.#timer = undefined
    if (this.#parts.calls()[Symbol.iterator]().next().done !== true) this.#plan()
  }
}
