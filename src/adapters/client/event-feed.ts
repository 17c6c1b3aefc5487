import type { CallId } from '../../model/call-id.ts'
import type { Clock, Timer } from '../../model/clock.ts'
import type { CallEvent, RunnerEvents } from '../../model/events.ts'
import { Listeners } from '../../caller/listeners.ts'
import { readEvent, type EventJson } from '../wire/events.ts'
import { NODE_HEADER } from '../wire/headers.ts'
import { backoff, retryAfter, withJitter } from './backoff.ts'
import { EventStream, type StreamRefusal } from './event-stream.ts'
import type { ResolvedConnectOptions } from './options.ts'
import type { ServerSentEvent } from './server-sent-events.ts'

/** Milliseconds until a node that refuses its events is asked for them again, in the end: what it says may change. */
const LONGEST_REFUSED = 60_000

/** The events of the node, which are asked for only while somebody listens. */
export class EventFeed {
  /** Is told of every ID that a listener reads. */
  onId: (id: CallId) => void = () => undefined
  /** Is told of every call that expired. */
  onExpired: (id: CallId) => void = () => undefined
  readonly #options: ResolvedConnectOptions
  readonly #clock: Clock
  readonly #listeners = new Listeners()
  #stream: EventStream | undefined
  /** Pending from the first listener on until events are heard, or cannot be for now. */
  #opening: PromiseWithResolvers<void> | undefined
  #retry: Timer | undefined
  #failures = 0
  #lastId = ''
  #tag: string | string[] | undefined
  #isClosed = false

  constructor(options: ResolvedConnectOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  on<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    this.#listeners.on(event, listener)
    this.#open()
  }

  once<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    this.#listeners.once(event, listener)
    this.#open()
  }

  off<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    this.#listeners.off(event, listener)
    this.#closeUnheard()
  }

  /**
   * Resolves when the events of what happens from now on are heard, if anybody listens and the node lets itself be heard; or
   * when that has taken `most` milliseconds, or one of the signals has aborted.
   */
  async opened(most: number, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
    const opening = this.#opening
    if (!opening || signals.some((signal) => signal?.aborted)) return
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(over, most)
      function over(): void {
        timer.clear()
        for (const signal of signals) signal?.removeEventListener('abort', over)
        resolve()
      }
      for (const signal of signals) signal?.addEventListener('abort', over, { once: true })
      void opening.promise.then(over)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#stop()
  }

  get #isHeard(): boolean {
    return NAMES.some((name) => this.#listeners.has(name))
  }

  #open(): void {
    if (this.#stream || this.#retry || this.#isClosed || !this.#isHeard) return
    this.#opening ??= Promise.withResolvers()
    this.#stream = new EventStream(this.#options, this.#clock, this.#lastId, {
      onOpen: ({ [NODE_HEADER]: tag }) => {
        // The IDs of a node's events mean nothing to another.
        if (tag !== this.#tag) this.#lastId = ''
        this.#tag = tag
        this.#failures = 0
        this.#opened()
      },
      onEvent: (event) => this.#hear(event),
      onEnd: (refusal) => this.#broken(refusal),
    })
  }

  #opened(): void {
    this.#opening?.resolve()
    this.#opening = undefined
  }

  #broken(refusal: StreamRefusal | undefined): void {
    this.#stream = undefined
    this.#failures += 1
    // Calls do not wait for events that cannot be had.
    this.#opened()
    const again = (): void => {
      this.#retry = undefined
      this.#open()
    }
    this.#retry = this.#clock.setTimeout(again, pauseAfter(this.#failures, refusal), { ref: false })
  }

  #hear({ name, data, lastId }: ServerSentEvent): void {
    this.#lastId = lastId
    if (!isEvent(name)) return
    const json = JSON.parse(data) as EventJson
    if (name === 'expired' && json.id !== undefined) this.onExpired(json.id as CallId)
    // A value that cannot travel has a problem in its place.
    if ('problem' in json) return
    const [event] = readEvent(name, json, 'rich') as [CallEvent?]
    this.#listeners.tell(name, ...((event ? [this.#telling(event)] : []) as RunnerEvents[typeof name]))
    this.#closeUnheard()
  }

  /** The event, which tells when its ID is read: whoever knows the ID may come back for the call. */
  #telling(event: CallEvent): CallEvent {
    const { id } = event
    const tell = this.onId
    return Object.defineProperty(event, 'id', {
      enumerable: true,
      get() {
        tell(id)
        return id
      },
    })
  }

  #closeUnheard(): void {
    if (!this.#isHeard) this.#stop()
  }

  #stop(): void {
    this.#stream?.close()
    this.#stream = undefined
    this.#retry?.clear()
    this.#retry = undefined
    this.#opened()
  }
}

function pauseAfter(failures: number, refusal: StreamRefusal | undefined): number {
  if (!refusal) return backoff(failures)
  // It may be another that answers with 5xx, in the place of a node that is being restarted.
  const pause = refusal.status < 500 ? backoff(failures, LONGEST_REFUSED) : backoff(failures)
  return Math.max(pause, withJitter(retryAfter(refusal.headers['retry-after']) ?? 0))
}

const NAMES = ['queued', 'started', 'progress', 'finished', 'expired', 'drain', 'idle'] as const

function isEvent(name: string): name is keyof RunnerEvents {
  return NAMES.some((each) => each === name)
}
