import type { CallId } from './call-id.ts'
import type { Outcome } from './status.ts'

/** What every call event tells. */
export interface CallEvent {
  /** The call's ID. Made when it is read, so that an event whose reader does not need it costs no ID. */
  readonly id: CallId
  readonly fn: string
}

export interface CallStarted extends CallEvent {
  /** Microseconds that the call waited before it ran. */
  readonly queueTime: number
}

export interface CallProgress extends CallEvent {
  readonly progress: unknown
}

export interface CallFinished extends CallEvent {
  readonly outcome: Outcome
  /** Microseconds that the call waited before it ran, or until it ended if it never ran. */
  readonly queueTime: number
  /** Microseconds that the function ran; 0 if it never did. */
  readonly runTime: number
}

/** The events of a runner. A listener that throws is an uncaught exception; it harms no call. */
export interface RunnerEvents {
  /** A call was admitted. */
  queued: [event: CallEvent]
  /** A function began to run. */
  started: [event: CallStarted]
  /** A function reported progress. */
  progress: [event: CallProgress]
  /** A call ended, however it did. */
  finished: [event: CallFinished]
  /** A kept outcome was dropped, because of its age or because `retainLimit` was reached. */
  expired: [event: CallEvent]
  /** After a `QUEUE_FULL`, there is room again. */
  drain: []
  /** The last call under way ended. */
  idle: []
}
