import type { CallId } from '../../model/call-id.ts'
import type { CallStatus, Unfinished } from '../../model/status.ts'
import type { CallEnd } from './job-ends.ts'
import { jobIdOf } from './job-ids.ts'

/** A cancel that is repeated until its call has ended. */
export interface PendingCancel {
  /** Encoded. */
  reason: string
  grace: number | undefined
}

/** A call that this client started or waits for, until it has ended. */
export class QueuedCall {
  readonly id: CallId
  readonly jobId: string
  /** Whether this client started it. */
  readonly isOwn: boolean
  fn = ''
  priority = 0
  /** Milliseconds. */
  retain = Infinity
  /** Unix time in milliseconds, as all times here, by the clock of the Redis server. */
  admittedAt = 0
  startedAt: number | undefined
  progress: { value: unknown } | undefined
  end: CallEnd | undefined
  /** Whether somebody was given its ID, who may come back with it. */
  isTold = false
  /** Whether it can be asked for after its end. */
  isKept = false
  cancel: PendingCancel | undefined
  /** The first look at the job of a call of somebody else's. It rejects if there is none. */
  found: Promise<void> | undefined
  /** How many have asked for a call of somebody else's, and are not done with it. */
  holders = 0
  /** A look at its job that is under way. */
  looking: Promise<void> | undefined
  /** When to look at its job next, in milliseconds of the monotonic clock, and how long after the last look that is. */
  nextLook = 0
  patience = 0
  readonly waits = new Set<() => void>()
  /** Takes the call off the signal that it was started with. */
  unsubscribe: (() => void) | undefined
  /** What happened to it before it was known to be admitted; undefined when that is known. */
  #backlog: (() => void)[] | undefined

  constructor(id: CallId, isOwn: boolean) {
    this.id = id
    this.jobId = jobIdOf(id)
    this.isOwn = isOwn
    this.#backlog = isOwn ? [] : undefined
  }

  /** Does something about the call now, or as soon as it is known to be admitted: its events can come before that. */
  whenAdmitted(act: () => void): void {
    if (this.#backlog) this.#backlog.push(act)
    else act()
  }

  admitted(): void {
    const backlog = this.#backlog
    this.#backlog = undefined
    for (const act of backlog ?? []) act()
  }

  /** What whoever starts it and does not wait is told. */
  ticket(): Unfinished {
    this.isTold = true
    return { finished: false, id: this.id, state: 'queued' }
  }

  /** What a caller is told. Whoever is told its ID may come back with it. */
  status(): CallStatus {
    const { id, end, progress } = this
    if (end) return { finished: true, ...end.outcome, ...(this.isKept && { id }) }
    this.isTold = true
    const state = this.startedAt === undefined ? 'queued' : 'running'
    return { finished: false, id, state, ...(progress?.value !== undefined && { progress: progress.value }) }
  }
}
