import { EventEmitter } from 'eventemitter3'
import type { CallId } from '../model/call-id.ts'
import { show } from '../model/check.ts'
import type { CallEvent, RunnerEvents } from '../model/events.ts'
import type { Outcome } from '../model/status.ts'
import type { Call } from '../table/call.ts'
import { queueTimeOf, runTimeOf } from './call-times.ts'

/** The runner's events. One that nobody listens to is not even made. */
export class CallEvents {
  readonly #emitter = new EventEmitter<RunnerEvents>()
  readonly #idOf: (call: Call) => CallId

  constructor(idOf: (call: Call) => CallId) {
    this.#idOf = idOf
  }

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

  queued(call: Call): void {
    if (this.has('queued')) this.#deliver(() => this.#emitter.emit('queued', this.#about(call)))
  }

  started(call: Call): void {
    if (!this.has('started')) return
    const event = Object.assign(this.#about(call), { queueTime: queueTimeOf(call) })
    this.#deliver(() => this.#emitter.emit('started', event))
  }

  progress(call: Call): void {
    if (!this.has('progress')) return
    const event = Object.assign(this.#about(call), { progress: call.progress })
    this.#deliver(() => this.#emitter.emit('progress', event))
  }

  finished(call: Call, outcome: Outcome): void {
    if (!this.has('finished')) return
    const times = { queueTime: queueTimeOf(call), runTime: runTimeOf(call) }
    const event = Object.assign(this.#about(call), { outcome, ...times })
    this.#deliver(() => this.#emitter.emit('finished', event))
  }

  expired(call: Call): void {
    if (this.has('expired')) this.#deliver(() => this.#emitter.emit('expired', this.#about(call)))
  }

  drain(): void {
    if (this.has('drain')) this.#deliver(() => this.#emitter.emit('drain'))
  }

  idle(): void {
    if (this.has('idle')) this.#deliver(() => this.#emitter.emit('idle'))
  }

  #about(call: Call): CallEvent {
    const idOf = this.#idOf
    return {
      fn: call.fn,
      get id() {
        return idOf(call)
      },
    }
  }

  /** A listener that throws must not come between a call and its waits. */
  #deliver(emit: () => void): void {
    try {
      emit()
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
