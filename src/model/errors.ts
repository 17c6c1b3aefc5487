import type { CallId } from './call-id.ts'

/** Whether the function had begun when the call ended. `unknown`: who would know is gone, or is not to be believed. */
export type Started = 'no' | 'yes' | 'unknown'

/** Which step of the order of abort ended the call. */
export type AbortStep = 'queued' | 'cooperative' | 'killed'

interface CodeFacts {
  retryable: boolean
  started: Started
}

/** What each code says when the place that raises it knows no better. */
const CODES = {
  /** The function threw or rejected; `cause` is what it threw. */
  FUNCTION_THREW: { retryable: false, started: 'yes' },
  /** The functions module exports no function of that name. */
  FUNCTION_NOT_FOUND: { retryable: false, started: 'no' },
  /** An argument or a result is of a kind that cannot travel between threads. */
  NOT_CLONEABLE: { retryable: false, started: 'no' },
  /** The thread or process ended while the call was on it. */
  WORKER_CRASHED: { retryable: false, started: 'yes' },
  /** The thread or process reached its memory limit. */
  OUT_OF_MEMORY: { retryable: false, started: 'yes' },
  /** The call was cancelled; `step` says what ended it. */
  ABORTED: { retryable: false, started: 'yes' },
  /** The call ran longer than its `abortAfter`; `step` says what ended it. */
  DEADLINE_EXCEEDED: { retryable: false, started: 'yes' },
  /** As many calls are waiting as `queueLimit` lets in. */
  QUEUE_FULL: { retryable: true, started: 'no' },
  /** The runner is closing or closed. */
  RUNNER_CLOSED: { retryable: false, started: 'no' },
  /** Not a call ID. */
  CALL_UNKNOWN: { retryable: false, started: 'unknown' },
  /** A call of this runner that is no longer kept. */
  CALL_EXPIRED: { retryable: false, started: 'unknown' },
  /** A call of another runner, which is gone. */
  CALL_LOST: { retryable: false, started: 'unknown' },
  /** The call has not ended yet, so it cannot be forgotten. */
  CALL_RUNNING: { retryable: true, started: 'unknown' },
  /** The idempotency key was given before, with another function or other arguments. */
  KEY_REUSED: { retryable: false, started: 'no' },
  /** The result is larger than its limit. */
  RESULT_TOO_LARGE: { retryable: false, started: 'yes' },
  /** The function's side broke the rules of the channel. */
  PROTOCOL_ERROR: { retryable: false, started: 'yes' },
  /** No thread or process could be made ready for the function; `cause` is why. */
  SPAWN_FAILED: { retryable: true, started: 'no' },
  /** The other host did not answer. */
  NODE_UNREACHABLE: { retryable: true, started: 'unknown' },
  /** The other host does not let this caller in, or not do that; or takes no more of it for now, and then it is retryable. */
  NOT_PERMITTED: { retryable: false, started: 'no' },
} as const satisfies Record<string, CodeFacts>

export type CallErrorCode = keyof typeof CODES

/** Whether a text that came from elsewhere is one of the codes. */
export function isCallErrorCode(code: unknown): code is CallErrorCode {
  return typeof code === 'string' && Object.hasOwn(CODES, code)
}

export interface CallErrorDetails {
  /** The function's name. */
  fn?: string | undefined
  /** The call, where it has an ID. */
  id?: CallId | undefined
  /** Whether the same call may be handed in again and could go well. Default: by the code. */
  retryable?: boolean | undefined
  /** Whether the function had begun to run. Default: by the code. */
  started?: Started | undefined
  /** With `ABORTED` and `DEADLINE_EXCEEDED`: what ended the call. */
  step?: AbortStep | undefined
  /** Where a thread or process ended: its exit status. */
  exitCode?: number | undefined
  /** Where a signal ended the process. */
  signal?: string | undefined
  /** Where a process failed: the last that it wrote to standard error, up to 8 KiB. */
  stderr?: string | undefined
  cause?: unknown
}

/** Every way in which a call can fail. Tell them apart by `code`; the message says what to change. */
export class CallError extends Error {
  readonly code: CallErrorCode
  declare readonly fn?: string
  /** Where the call has one: the runner writes it when the call ends. */
  declare id?: CallId
  readonly retryable: boolean
  readonly started: Started
  declare readonly step?: AbortStep
  declare readonly exitCode?: number
  declare readonly signal?: string
  declare readonly stderr?: string

  constructor(code: CallErrorCode, message: string, details: CallErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    const { fn, id, retryable, started, step, exitCode, signal, stderr } = details
    this.code = code
    if (fn !== undefined) this.fn = fn
    if (id !== undefined) this.id = id
    this.retryable = retryable ?? CODES[code].retryable
    this.started = started ?? CODES[code].started
    if (step !== undefined) this.step = step
    if (exitCode !== undefined) this.exitCode = exitCode
    if (signal !== undefined) this.signal = signal
    if (stderr !== undefined) this.stderr = stderr
  }

  static {
    // On the prototype, as with the built-in errors: it does not show up among an error's own properties.
    this.prototype.name = 'CallError'
  }
}

export function functionNotFound(fn: string, known: Iterable<string>): CallError {
  const message = `there is no function "${fn}"; the functions module exports ${[...known].join(', ')}`
  return new CallError('FUNCTION_NOT_FOUND', message, { fn })
}
