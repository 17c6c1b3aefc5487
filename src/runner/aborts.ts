import type { Clock, Timer } from '../model/clock.ts'
import { CallError, type AbortStep } from '../model/errors.ts'
import { textOf } from '../protocol/encoded-error.ts'
import type { AbortCause } from '../protocol/messages.ts'
import type { Call } from '../table/call.ts'

/** Why a call is to end. */
export type AbortRequest =
  | { code: 'ABORTED'; reason: unknown; grace: number }
  | { code: 'DEADLINE_EXCEEDED'; grace: number }

/** What is known of when a call ran, in milliseconds of the monotonic clock. */
export interface KnownTimes {
  /** Undefined when nobody told that its function began. */
  startedAt?: number | undefined
  endedAt: number
}

/** What ends calls, step by step. */
export interface AbortSteps {
  /** Whether the call has ended, after a look for what is not known yet. */
  hasEnded(call: Call): boolean
  /** Drops a call that has not begun. False when it has. */
  drop(call: Call): boolean
  interrupt(call: Call, cause: AbortCause): void
  kill(call: Call): void
}

interface Aborting {
  request: AbortRequest
  /** Since when. */
  at: number
  killAt: number
  timer: Timer | undefined
}

/**
 * The order of abort. A call that has not begun is dropped. One that runs is asked to end, and killed when its grace is
 * over. Whether its end then is put down to the abort is `explain`'s to say.
 */
export class Aborts {
  readonly #clock: Clock
  readonly #steps: AbortSteps
  readonly #aborting = new Map<Call, Aborting>()
  readonly #deadlines = new Map<Call, Timer>()

  constructor(clock: Clock, steps: AbortSteps) {
    this.#clock = clock
    this.#steps = steps
  }

  /** Returns what dropped the call, if it had not begun. Otherwise the call will end by itself or be killed. */
  abort(call: Call, request: AbortRequest): CallError | undefined {
    if (this.#steps.hasEnded(call)) return undefined
    const aborting = this.#aborting.get(call)
    if (aborting) {
      this.#killBy(call, aborting, request.grace)
      return undefined
    }
    if (this.#steps.drop(call)) return abortError(call, request, { step: 'queued', started: 'no' })
    const begun: Aborting = { request, at: this.#clock.now(), killAt: Infinity, timer: undefined }
    this.#aborting.set(call, begun)
    this.#steps.interrupt(call, causeOf(call, request))
    // It may have ended at that.
    if (this.#aborting.has(call)) this.#killBy(call, begun, request.grace)
    return undefined
  }

  /**
   * Sees to it that a call that was sent does not run longer than its `abortAfter`.
   *
   * The time counts from when its function begins, which nobody is told of. It is enough to look after each
   * `abortAfter` from here on: the next look comes no later than the deadline of a function that began since the last.
   */
  watch(call: Call): void {
    if (call.abortAfter === Infinity || this.#deadlines.has(call)) return
    this.#lookAfter(call, call.abortAfter)
  }

  /** The error of a call that ended because it was aborted; undefined when it was not, or had ended before that. */
  explain(call: Call, step: AbortStep, times: KnownTimes, thrown?: unknown): CallError | undefined {
    const aborting = this.#aborting.get(call)
    if (!aborting || times.endedAt < aborting.at) return undefined
    const started = times.startedAt === undefined ? 'unknown' : 'yes'
    return abortError(call, aborting.request, { step, started }, thrown)
  }

  /** The call has ended: nothing is left to do about it. */
  ended(call: Call): void {
    this.#deadlines.get(call)?.clear()
    this.#deadlines.delete(call)
    this.#aborting.get(call)?.timer?.clear()
    this.#aborting.delete(call)
  }

  #killBy(call: Call, aborting: Aborting, grace: number): void {
    const killAt = this.#clock.now() + grace
    if (killAt >= aborting.killAt) return
    aborting.timer?.clear()
    aborting.killAt = killAt
    if (grace === 0) this.#steps.kill(call)
    else aborting.timer = this.#clock.setTimeout(() => this.#steps.kill(call), grace)
  }

  #lookAfter(call: Call, ms: number): void {
    this.#deadlines.set(
      call,
      this.#clock.setTimeout(() => this.#look(call), ms),
    )
  }

  #look(call: Call): void {
    this.#deadlines.delete(call)
    // Taken back since, by a thread that died: it is watched again when it is sent again.
    if (!call.place) return
    const { startedAt } = call.place
    const left = startedAt === undefined ? call.abortAfter : startedAt + call.abortAfter - this.#clock.now()
    if (left > 0) this.#lookAfter(call, left)
    else this.abort(call, { code: 'DEADLINE_EXCEEDED', grace: call.grace })
  }
}

function causeOf(call: Call, request: AbortRequest): AbortCause {
  return request.code === 'ABORTED'
    ? { name: 'AbortError', message: describe(request.reason) }
    : { name: 'TimeoutError', message: `ran longer than its abortAfter of ${call.abortAfter} ms` }
}

const ENDINGS: Record<AbortStep, string> = {
  queued: 'it had not begun',
  cooperative: 'it ended by itself within its grace time',
  killed: 'it was killed',
}

type HowFar = Pick<CallError, 'started'> & { step: AbortStep }

function abortError(call: Call, request: AbortRequest, { step, started }: HowFar, thrown?: unknown): CallError {
  const { fn, id } = call
  if (request.code === 'DEADLINE_EXCEEDED') {
    const message = `call of "${fn}" ran longer than its abortAfter of ${call.abortAfter} ms; ${ENDINGS[step]}`
    return new CallError(request.code, message, {
      fn,
      id,
      started,
      step,
      ...(thrown !== undefined && { cause: thrown }),
    })
  }
  const { reason } = request
  const why = reason === undefined ? '' : ` (${describe(reason)})`
  const cause = reason ?? thrown
  const message = `call of "${fn}" was aborted${why}; ${ENDINGS[step]}`
  return new CallError(request.code, message, { fn, id, started, step, ...(cause !== undefined && { cause }) })
}

/** Never throws: a reason that cannot be shown must not come between a call and its end. */
function describe(reason: unknown): string {
  if (reason === undefined) return 'the call was cancelled'
  try {
    return textOf(reason instanceof Error ? reason.message : reason)
  } catch {
    return textOf(reason)
  }
}
