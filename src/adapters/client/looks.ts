import type { Clock } from '../../model/clock.ts'
import type { CallId } from '../../model/call-id.ts'
import type { CallStatus } from '../../model/status.ts'
import { LONGEST_WAIT } from '../wire/headers.ts'
import { refusalOf, statusOf } from './answers.ts'
import { backoff } from './backoff.ts'
import { delayOf, type Line, type Reply } from './line.ts'

interface Waiter {
  resolve(status: CallStatus): void
  reject(error: unknown): void
}

/** Milliseconds: a wait that is answered sooner, and not with the end of its call, was not held. */
const BRIEF = 20

/** A request that the node holds back, and those who wait for what it says. */
interface Held {
  /** When the node answers it at the latest. */
  endsAt: number
  waiters: Set<Waiter>
  abort: AbortController
}

/** The node takes no requests of this client for now. */
class SentAway extends Error {
  readonly refusal: Error
  /** Milliseconds. */
  readonly delay: number

  constructor(reply: Reply) {
    super('the node takes no requests for now')
    this.refusal = refusalOf(reply)
    this.delay = delayOf(reply)
  }

  static {
    this.prototype.name = 'SentAway'
  }
}

/** Waits for calls by their IDs. However many wait for one call, there is one request for them. */
export class Looks {
  readonly #line: Line
  readonly #clock: Clock
  readonly #onStatus: (id: CallId, status: CallStatus) => void
  readonly #held = new Map<CallId, Set<Held>>()

  /** @param onStatus is told every status that is heard, before those who wait are. */
  constructor(line: Line, clock: Clock, onStatus: (id: CallId, status: CallStatus) => void) {
    this.#line = line
    this.#clock = clock
    this.#onStatus = onStatus
  }

  /**
   * Waits until the call has ended or the time is up, however often the node has to be asked for that.
   *
   * @throws CallError for an ID that cannot be asked for, or a node that does not answer; the reason of `signal`.
   */
  async wait(id: CallId, timeout: number, signal?: AbortSignal): Promise<CallStatus> {
    const until = this.#clock.now() + timeout
    let brief = 0
    for (;;) {
      const askedAt = this.#clock.now()
      const left = Math.max(0, until - askedAt)
      const status = await this.#statusAfter(id, left, signal)
      const now = this.#clock.now()
      if (status instanceof SentAway) {
        if (now + status.delay > until) throw status.refusal
        await this.#line.pause(status.delay, signal)
        continue
      }
      if (status.finished || now >= until) return status
      // A node that does not hold its answers back, as it is closing, is not asked without a pause.
      brief = now - askedAt < BRIEF ? brief + 1 : 0
      if (brief > 0) await this.#line.pause(Math.min(backoff(brief), until - now), signal)
    }
  }

  async #statusAfter(id: CallId, left: number, signal: AbortSignal | undefined): Promise<CallStatus | SentAway> {
    try {
      return await (left === 0 ? this.#ask(id, 0, signal) : this.#join(id, left, signal))
    } catch (error) {
      if (error instanceof SentAway) return error
      throw error
    }
  }

  /** @throws SentAway. */
  async #ask(id: CallId, wait: number, signal: AbortSignal | undefined): Promise<CallStatus> {
    const until = this.#clock.now() + wait
    for (let tries = 1; ; tries++) {
      const left = Math.max(0, until - this.#clock.now())
      const reply = await this.#send(id, left, signal)
      if (reply.kind !== 'too-many-waits' || left === 0) return this.#told(id, reply)
      // It holds no more waits, but can be looked at: the call may have ended.
      const status = this.#told(id, await this.#send(id, 0, signal))
      if (status.finished) return status
      const pause = Math.max(delayOf(reply), backoff(tries))
      await this.#line.pause(Math.max(0, Math.min(pause, until - this.#clock.now())), signal)
    }
  }

  async #send(id: CallId, wait: number, signal: AbortSignal | undefined): Promise<Reply> {
    const path = (held: number): string => `/calls/${encodeURIComponent(id)}?timeout=${held}`
    const reply = await this.#line.ask({ method: 'GET', path, wait, signal, id })
    if (reply.kind === 'rate-limited') throw new SentAway(reply)
    return reply
  }

  #told(id: CallId, reply: Reply): CallStatus {
    const status = statusOf(reply)
    this.heard(id, status)
    return status
  }

  /** A status was told. If it is the end, nobody needs to wait for it any longer. */
  heard(id: CallId, status: CallStatus): void {
    this.#onStatus(id, status)
    if (!status.finished) return
    for (const held of this.#held.get(id) ?? []) {
      for (const waiter of held.waiters) waiter.resolve(status)
      this.#drop(id, held)
    }
  }

  /** Joins the request under way if that is over before the time is, and makes one otherwise. */
  #join(id: CallId, left: number, signal: AbortSignal | undefined): Promise<CallStatus> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const held = this.#heldUntil(id, this.#clock.now() + left) ?? this.#hold(id, Math.min(left, LONGEST_WAIT))
      const over = (): void => signal?.removeEventListener('abort', leave)
      const waiter: Waiter = {
        resolve(status) {
          over()
          resolve(status)
        },
        reject(error) {
          over()
          reject(error)
        },
      }
      const leave = (): void => {
        held.waiters.delete(waiter)
        waiter.reject(signal?.reason)
        if (held.waiters.size === 0) this.#drop(id, held)
      }
      held.waiters.add(waiter)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** The last request under way that is answered by then. */
  #heldUntil(id: CallId, time: number): Held | undefined {
    let last: Held | undefined
    for (const held of this.#held.get(id) ?? []) {
      if (held.endsAt <= time && held.endsAt >= (last?.endsAt ?? 0)) last = held
    }
    return last
  }

  #hold(id: CallId, wait: number): Held {
    const held: Held = { endsAt: this.#clock.now() + wait, waiters: new Set(), abort: new AbortController() }
    const all = this.#held.get(id) ?? new Set()
    this.#held.set(id, all.add(held))
    this.#ask(id, wait, held.abort.signal).then(
      (status) => {
        for (const waiter of held.waiters) waiter.resolve(status)
        this.#drop(id, held)
      },
      (error) => {
        for (const waiter of held.waiters) waiter.reject(error)
        this.#drop(id, held)
      },
    )
    return held
  }

  /** Nobody waits for it any more: its answer is here, or nobody is. */
  #drop(id: CallId, held: Held): void {
    held.waiters.clear()
    held.abort.abort()
    const all = this.#held.get(id)
    all?.delete(held)
    if (all?.size === 0) this.#held.delete(id)
  }
}
