import { EventEmitter } from 'eventemitter3'
import { show } from '../model/check.ts'
import type { RunnerEvents } from '../model/events.ts'

/** Those who listen to the events of a runner. */
export class Listeners {
  readonly #emitter = new EventEmitter<RunnerEvents>()

  has(name: keyof RunnerEvents): boolean {
    return this.#emitter.listenerCount(name) > 0
  }

  on<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    if (isOurs(event, listener)) this.#emitter.on(event, listener as Listener)
  }

  once<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    if (isOurs(event, listener)) this.#emitter.once(event, listener as Listener)
  }

  off<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    if (isOurs(event, listener)) this.#emitter.off(event, listener as Listener)
  }

  /** A listener that throws must not come between a call and its waits. */
  tell<E extends keyof RunnerEvents>(event: E, ...args: RunnerEvents[E]): void {
    try {
      this.#emitter.emit(event, ...(args as EventEmitter.EventArgs<RunnerEvents, E>))
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}

const NAMES = Object.keys({
  queued: true,
  started: true,
  progress: true,
  finished: true,
  expired: true,
  drain: true,
  idle: true,
} satisfies Record<keyof RunnerEvents, true>)

/** A listener as EventEmitter3 types it, for any one event. */
type Listener = EventEmitter.EventListener<RunnerEvents, keyof RunnerEvents>

function isOurs(event: string, listener: unknown): boolean {
  if (typeof listener !== 'function') throw new TypeError(`listener must be a function, got ${show(listener)}`)
  if (NAMES.includes(event)) return true
  // `once` and `on` of `node:events` listen to it too, whatever they are asked for.
  if (event === 'error') return false
  throw new TypeError(`there is no event ${show(event)}; the events are ${NAMES.join(', ')}`)
}
