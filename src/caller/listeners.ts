import { EventEmitter } from 'eventemitter3'
import { checkListener, type RunnerEvents } from '../model/events.ts'

/** Those who listen to the events of a runner. */
export class Listeners {
  readonly #emitter = new EventEmitter<RunnerEvents>()

  has(name: keyof RunnerEvents): boolean {
    return this.#emitter.listenerCount(name) > 0
  }

  on<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    if (checkListener(event, listener)) this.#emitter.on(event, listener as Listener)
  }

  once<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    if (checkListener(event, listener)) this.#emitter.once(event, listener as Listener)
  }

  off<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    if (checkListener(event, listener)) this.#emitter.off(event, listener as Listener)
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

/** A listener as EventEmitter3 types it, for any one event. */
type Listener = EventEmitter.EventListener<RunnerEvents, keyof RunnerEvents>
