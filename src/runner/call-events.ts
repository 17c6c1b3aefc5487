import { Listeners } from '../caller/listeners.ts'
import type { CallId } from '../model/call-id.ts'
import type { CallEvent, RunnerEvents } from '../model/events.ts'
import type { Outcome } from '../model/status.ts'
import type { Call } from '../table/call.ts'
import { queueTimeOf, runTimeOf } from './call-times.ts'

/** The runner's events. One that nobody listens to is not even made. */
export class CallEvents {
  readonly #listeners = new Listeners()
  readonly #idOf: (call: Call) => CallId

  constructor(idOf: (call: Call) => CallId) {
    this.#idOf = idOf
  }

  has(name: keyof RunnerEvents): boolean {
    return this.#listeners.has(name)
  }

  on<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    this.#listeners.on(event, listener)
  }

  once<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    this.#listeners.once(event, listener)
  }

  off<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): void {
    this.#listeners.off(event, listener)
  }

  queued(call: Call): void {
    if (this.has('queued')) this.#listeners.tell('queued', this.#about(call))
  }

  started(call: Call): void {
    if (!this.has('started')) return
    const event = Object.assign(this.#about(call), { queueTime: queueTimeOf(call) })
    this.#listeners.tell('started', event)
  }

  progress(call: Call): void {
    if (!this.has('progress')) return
    const event = Object.assign(this.#about(call), { progress: call.progress })
    this.#listeners.tell('progress', event)
  }

  finished(call: Call, outcome: Outcome): void {
    if (!this.has('finished')) return
    const times = { queueTime: queueTimeOf(call), runTime: runTimeOf(call) }
    const event = Object.assign(this.#about(call), { outcome, ...times })
    this.#listeners.tell('finished', event)
  }

  expired(call: Call): void {
    if (this.has('expired')) this.#listeners.tell('expired', this.#about(call))
  }

  drain(): void {
    if (this.has('drain')) this.#listeners.tell('drain')
  }

  idle(): void {
    if (this.has('idle')) this.#listeners.tell('idle')
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
}
