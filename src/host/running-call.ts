import { monotonicNow } from '../model/clock.ts'
import type { AbortCause, FromHost, LogLevel } from '../protocol/messages.ts'
import { createCallLogger } from './call-log.ts'
import type { CallLogger, CurrentCall } from './current-call.ts'

/** What a running call needs of the host that runs it. */
export interface RunningCallHost {
  readonly logLevel: LogLevel | 'silent'
  /** @throws DOMException `DataCloneError` when something in the message cannot travel between threads. */
  post(message: FromHost): void
  isAborted(slot: number, generation: number): boolean
}

/** A call whose function has begun and not ended. Nearly all of it is made only when the function asks for it. */
export class RunningCall implements CurrentCall {
  readonly slot: number
  readonly generation: number
  readonly fn: string
  readonly #host: RunningCallHost
  readonly #abortAfter: number
  readonly #startedAt: number
  #controller: AbortController | undefined
  #cause: AbortCause | undefined
  #log: CallLogger | undefined
  #ended = false

  constructor(
    host: RunningCallHost,
    slot: number,
    generation: number,
    fn: string,
    abortAfter: number,
    startedAt: number,
  ) {
    this.#host = host
    this.slot = slot
    this.generation = generation
    this.fn = fn
    this.#abortAfter = abortAfter
    this.#startedAt = startedAt
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#cause) this.abort(this.#cause)
    }
    return this.#controller.signal
  }

  get aborted(): boolean {
    // After the end the slot is somebody else's.
    if (this.#cause === undefined && !this.#ended) return this.#host.isAborted(this.slot, this.generation)
    return this.#cause !== undefined
  }

  get deadline(): number {
    if (this.#abortAfter === 0) return Infinity
    return Math.round(Date.now() + this.#startedAt + this.#abortAfter - monotonicNow())
  }

  get log(): CallLogger {
    return (this.#log ??= createCallLogger(this.#host.logLevel, (level, args) => {
      if (!this.#ended) this.#host.post({ type: 'log', slot: this.slot, generation: this.generation, level, args })
    }))
  }

  // A getter, so that a function can take it off: `const { progress } = currentCall()`.
  get progress(): (value: unknown) => void {
    return (value) => {
      if (!this.#ended) this.#host.post({ type: 'progress', slot: this.slot, generation: this.generation, value })
    }
  }

  abort(cause: AbortCause): void {
    this.#cause = cause
    this.#controller?.abort(new DOMException(cause.message, cause.name))
  }

  end(): void {
    this.#ended = true
  }
}
