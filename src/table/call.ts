import type { Transferable } from 'node:worker_threads'
import type { CallId } from '../model/call-id.ts'
import type { CallState, Outcome } from '../model/status.ts'
import type { Wait } from './waits.ts'

/** Where a call is, as the table sees it. */
interface Place {
  readonly cpid: number
  readonly startedAt: number | undefined
}

export interface CallFacts {
  fn: string
  args: readonly unknown[]
  transfer: readonly Transferable[] | undefined
  priority: number
  abortAfter: number
  grace: number
  retain: number
}

const NO_ARGS: readonly unknown[] = []

/** One execution of a function, from its admission until nobody can ask for it any more. */
export class Call {
  /** The number of its admission. */
  readonly seq: number
  readonly fn: string
  args: readonly unknown[]
  transfer: readonly Transferable[] | undefined
  readonly priority: number
  readonly abortAfter: number
  readonly grace: number
  readonly retain: number
  /** Milliseconds of the monotonic clock. */
  readonly admittedAt: number

  /** Made on first need. */
  id: CallId | undefined
  /** Whether somebody may come back for the call, so that its outcome has to be kept. */
  kept = false
  /** Whether somebody was given its ID. */
  isTold = false
  /** Where it ran, once it has ended; 0 if it never did. */
  cpid = 0
  /** The key by which it can be started again without being run again. */
  key: string | undefined
  /** What the key stands for. */
  digest: string | undefined
  /** Where it was sent; undefined while it waits in the queue. Its executor's own. */
  place: Place | undefined
  progress: unknown

  outcome: Outcome | undefined
  /** Milliseconds of the monotonic clock. */
  startedAt: number | undefined
  endedAt = 0

  /** The first of the waits under way; the others hang on it. Of `Waits`. */
  firstWait: Wait | undefined
  /** Its neighbours in the queue. Of `CallQueue`. */
  queuedBefore: Call | undefined
  queuedAfter: Call | undefined
  /** Its neighbours by admission. Of `AdmittedCalls`. */
  before: Call | undefined
  after: Call | undefined
  /** Its place among those that have not ended. Of `Bag`. */
  at = 0

  constructor(facts: CallFacts, seq: number, admittedAt: number) {
    this.seq = seq
    this.fn = facts.fn
    this.args = facts.args
    this.transfer = facts.transfer
    this.priority = facts.priority
    this.abortAfter = facts.abortAfter
    this.grace = facts.grace
    this.retain = facts.retain
    this.admittedAt = admittedAt
  }

  get state(): CallState {
    if (this.outcome) return 'finished'
    return this.isRunning ? 'running' : 'queued'
  }

  /** Whether its function has begun, and not ended. */
  get isRunning(): boolean {
    return this.place?.startedAt !== undefined
  }

  /**
   * Ends the call: the one place where that happens. The first to come here wins; the others get false, and have
   * nothing more to do.
   *
   * @param startedAt when its function began; undefined when it never did.
   */
  end(outcome: Outcome, startedAt: number | undefined, endedAt: number): boolean {
    if (this.outcome) return false
    this.outcome = outcome
    this.startedAt = startedAt
    this.endedAt = endedAt
    // What only a call under way needs goes: a kept call is to cost little beside its value.
    this.args = NO_ARGS
    this.transfer = undefined
    this.place = undefined
    return true
  }
}
