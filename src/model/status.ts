import type { CallId } from './call-id.ts'
import type { CallError } from './errors.ts'

export type CallState = 'queued' | 'running' | 'finished'

/** How a call ended. */
export type Outcome<T = unknown> = { ok: true; value: T } | { ok: false; error: CallError }

/** The call has not ended. `progress` is the last value that the function reported, if any. */
export interface Unfinished {
  finished: false
  id: CallId
  state: 'queued' | 'running'
  progress?: unknown
}

/** The call ended with a value. `id` is there exactly when the call can still be asked for. */
export interface Succeeded<T> {
  finished: true
  ok: true
  value: T
  id?: CallId
}

/** The call ended without a value. `id` is there exactly when the call can still be asked for. */
export interface Failed {
  finished: true
  ok: false
  error: CallError
  id?: CallId
}

export type CallStatus<T = unknown> = Unfinished | Succeeded<T> | Failed

interface CallInfoBase {
  id: CallId
  fn: string
  priority: number
  /** Unix time in milliseconds at which the call was admitted. */
  admittedAt: number
}

/** One row of `list`. Times are Unix time in milliseconds. */
export type CallInfo =
  | (CallInfoBase & { state: 'queued' })
  | (CallInfoBase & { state: 'running'; startedAt: number; progress?: unknown })
  | (CallInfoBase & { state: 'finished'; ok: boolean; startedAt?: number; finishedAt: number })
