import pTimeout, { type Options as TimeoutOptions } from 'p-timeout'
import { LONGEST_DELAY, type Clock, type Timer } from '../model/clock.ts'
import { Bag } from './bag.ts'
import type { Call } from './call.ts'

type PTimeoutTimers = NonNullable<TimeoutOptions<void>['customTimers']>

/**
 * Milliseconds that a wait lives without a timer. Most calls end before that, and a timer with all that p-timeout makes
 * for it costs more than their whole round trip.
 */
const YOUNG = 4

/**
 * One wait for one call. It has a promise of its own, never a reaction on one that all waits of a call share: a promise
 * keeps its reactions until it settles, so waits that came and went would pile up there.
 */
export class Wait {
  readonly call: Call
  /** Milliseconds of the monotonic clock; `Infinity` for a wait without a limit. */
  readonly until: number
  /** Answers the wait. Once it has an own timer, this stops that timer first. */
  answer: () => void
  isOver = false
  /** The other waits of the call. */
  before: Wait | undefined
  after: Wait | undefined
  /** Where it is while it has no timer. */
  bag: Bag<Wait> | undefined
  at = 0

  constructor(call: Call, until: number, answer: () => void) {
    this.call = call
    this.until = until
    this.answer = answer
  }
}

/** The waits under way: each is answered once, when its call ends or its time is up, and leaves nothing behind. */
export class Waits {
  readonly #clock: Clock
  readonly #timers: PTimeoutTimers
  /** Waits that have no timer yet, and those that were so at the last look. What is over is in neither, to be collected soon. */
  #young = new Bag<Wait>()
  #older = new Bag<Wait>()
  #lookPlanned = false
  #size = 0

  constructor(clock: Clock) {
    this.#clock = clock
    // Typed as Node's own, but p-timeout only hands back what it was given.
    const timers: unknown = {
      setTimeout: (callback: () => void, ms: number) => clock.setTimeout(callback, ms),
      clearTimeout: (timer?: Timer) => timer?.clear(),
    }
    this.#timers = timers as PTimeoutTimers
  }

  get size(): number {
    return this.#size
  }

  /**
   * Resolves when the call has ended or `timeout` is over: look at the call to see which.
   *
   * @param timeout milliseconds, more than 0; `Infinity` for no limit.
   * @param signal ends this wait with its reason.
   */
  add(call: Call, timeout: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wait = new Wait(call, this.#clock.now() + timeout, resolve)
      this.#link(wait)
      if (signal) this.#watch(wait, reject, signal)
      // It could be over before it has grown.
      else if (timeout <= 2 * YOUNG) this.#watch(wait, reject)
      else if (timeout < Infinity) this.#raise(wait)
    })
  }

  /** Answers all waits of a call that has ended. */
  callEnded(call: Call): void {
    let wait = call.firstWait
    call.firstWait = undefined
    while (wait) {
      const { after } = wait
      wait.before = undefined
      wait.after = undefined
      this.#finish(wait)
      wait.answer()
      wait = after
    }
  }

  #link(wait: Wait): void {
    const { call } = wait
    wait.after = call.firstWait
    if (call.firstWait) call.firstWait.before = wait
    call.firstWait = wait
    this.#size += 1
  }

  #unlink(wait: Wait): void {
    if (wait.isOver) return
    const { call, before, after } = wait
    if (before) before.after = after
    else call.firstWait = after
    if (after) after.before = before
    wait.before = undefined
    wait.after = undefined
    this.#finish(wait)
  }

  #finish(wait: Wait): void {
    wait.isOver = true
    wait.bag?.delete(wait)
    wait.bag = undefined
    this.#size -= 1
  }

  /** Lets a wait be without a timer until it has lived for a while. */
  #raise(wait: Wait): void {
    wait.bag = this.#young
    this.#young.add(wait)
    this.#planLook()
  }

  #grow(): void {
    const grown = this.#older
    this.#older = this.#young
    this.#young = new Bag()
    this.#lookPlanned = false
    for (const wait of grown) {
      wait.bag = undefined
      this.#watch(wait)
    }
    if (this.#older.size > 0) this.#planLook()
  }

  #planLook(): void {
    if (this.#lookPlanned) return
    this.#lookPlanned = true
    this.#clock.setTimeout(() => this.#grow(), YOUNG)
  }

  /** Gives a wait its timer. */
  #watch(wait: Wait, reject?: (reason: unknown) => void, signal?: AbortSignal): void {
    const { answer } = wait
    const ended = new Promise<void>((resolve) => {
      wait.answer = resolve
    })
    const left = wait.until - this.#clock.now()
    pTimeout(ended, {
      // p-timeout wants more than 0, and takes more than a timer can hold for ever.
      milliseconds: left === Infinity ? left : Math.min(LONGEST_DELAY, Math.max(left, 1)),
      fallback: () => undefined,
      customTimers: this.#timers,
      ...(signal && { signal }),
    }).then(
      () => {
        wait.answer = answer
        // Only the first part of it is over.
        if (left > LONGEST_DELAY && left < Infinity && !wait.isOver) return this.#watch(wait, reject, signal)
        this.#unlink(wait)
        return answer()
      },
      (reason: unknown) => {
        this.#unlink(wait)
        reject?.(reason)
      },
    )
  }
}
