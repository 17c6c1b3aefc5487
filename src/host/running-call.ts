import { monotonicNow } from '../model/clock.ts'
import type { AbortCause, FromHost, LogLevel } from '../protocol/messages.ts'
import { createCallLogger } from './call-log.ts'
import type { CallLogger, CurrentCall } from './current-call.ts'

/** Milliseconds after which progress that was held back is tried again. */
const REPORT_AGAIN_AFTER = 5

/** What a running call needs of the host that runs it. */
export interface RunningCallHost {
  readonly logLevel: LogLevel | 'silent'
  /** @throws DOMException `DataCloneError` when something in the message cannot travel between threads. */
  report(message: FromHost): void
  readonly mayReport: boolean
  awaitReportable(): void
  isAborted(slot: number, generation: number): boolean
}

/** A call whose function has begun and not ended. Nearly all of it is made only when the function asks for it. */
export class RunningCall implements CurrentCall {
  readonly slot: number
  readonly generation: number
  readonly fn: string
  /** Whether the runner was told that it has begun. */
  isFollowed = false
  readonly #host: RunningCallHost
  readonly #abortAfter: number
  readonly #startedAt: number
  #controller: AbortController | undefined
  #cause: AbortCause | undefined
  #log: CallLogger | undefined
  #ended = false
  /** The newest progress, when there was no point in reporting it. */
  #unreported: { value: unknown } | undefined
  #timer: NodeJS.Timeout | undefined

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
      if (this.#ended) return
      this.#host.awaitReportable()
      this.#host.report({ type: 'log', slot: this.slot, generation: this.generation, level, args })
    }))
  }

  // A getter, so that a function can take it off: `const { progress } = currentCall()`.
  get progress(): (value: unknown) => void {
    return (value) => {
      if (this.#ended) return
      if (this.#host.mayReport) this.#reportProgress(value)
      else this.#reportLater(value)
    }
  }

  #reportProgress(value: unknown): void {
    this.#unreported = undefined
    this.#host.report({ type: 'progress', slot: this.slot, generation: this.generation, value })
  }

  /** Nobody hears it before there is a newer one, or the end. */
  #reportLater(value: unknown): void {
    // As it is now, and refused here if it cannot travel.
    this.#unreported = { value: structuredClone(value) }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#unreported && !this.#ended) this.progress(this.#unreported.value)
    }, REPORT_AGAIN_AFTER)
  }

  abort(cause: AbortCause): void {
    this.#cause = cause
    this.#controller?.abort(new DOMException(cause.message, cause.name))
  }

  end(): void {
    if (this.#unreported) this.#reportProgress(this.#unreported.value)
    clearTimeout(this.#timer)
    this.#ended = true
  }
}
