import type { CallId } from '../../model/call-id.ts'
import type { RunnerStats } from '../../model/runner.ts'
import type { CallStatus } from '../../model/status.ts'

/** Calls that are remembered at most, under way and kept each: those who never come back for theirs cost no more. */
const MOST = 10_000

interface OwnCall {
  state: 'queued' | 'running'
  /** Called when it is known to have ended, or is forgotten here. */
  onEnd: (() => void) | undefined
}

/** What a client knows of the calls that it started: what it was last told of each. */
export class OwnCalls {
  readonly #underWay = new Map<CallId, OwnCall>()
  /** Ended, and to be asked for as far as is known. */
  readonly #kept = new Set<CallId>()
  readonly #total = { admitted: 0, succeeded: 0, failed: 0, expired: 0 }

  /** Those that are not known to have ended: first those not known to have begun, and the last started first. */
  get underWay(): CallId[] {
    const { queued = [], running = [] } = Object.groupBy([...this.#underWay].toReversed(), ([, { state }]) => state)
    return [...queued, ...running].map(([id]) => id)
  }

  /**
   * A start was answered.
   *
   * @param onEnd is called when the call is known to have ended; at once if it has.
   */
  started(status: CallStatus, onEnd?: () => void): void {
    const { id } = status
    const isNew = id === undefined || !(this.#underWay.has(id) || this.#kept.has(id))
    if (isNew) this.#total.admitted += 1
    if (status.finished) {
      if (isNew) this.#ended(status)
      else this.heard(id, status)
      onEnd?.()
    } else {
      const earlier = this.#underWay.get(status.id)
      this.#underWay.set(status.id, { state: status.state, onEnd: both(earlier?.onEnd, onEnd) })
      this.#forgetOldest()
    }
  }

  /** A status of any call was told. */
  heard(id: CallId, status: CallStatus): void {
    const call = this.#underWay.get(id)
    if (!call) return
    if (!status.finished) {
      call.state = status.state
      return
    }
    this.#underWay.delete(id)
    call.onEnd?.()
    this.#ended(status)
  }

  /** The call can no longer be asked for. */
  gone(id: CallId): void {
    const call = this.#underWay.get(id)
    this.#underWay.delete(id)
    call?.onEnd?.()
    this.#kept.delete(id)
  }

  /** The node has told that it dropped an outcome. */
  expired(id: CallId): void {
    if (!this.#kept.has(id) && !this.#underWay.has(id)) return
    this.#total.expired += 1
    this.gone(id)
  }

  /** What `stats` can tell of calls. */
  counts(): Pick<RunnerStats, 'calls' | 'total' | 'queueLength'> {
    const calls = { queued: 0, running: 0, finished: this.#kept.size }
    for (const { state } of this.#underWay.values()) calls[state] += 1
    return { calls, total: { ...this.#total }, queueLength: calls.queued }
  }

  #ended(status: CallStatus & { finished: true }): void {
    if (status.ok) this.#total.succeeded += 1
    else this.#total.failed += 1
    if (status.id === undefined) return
    this.#kept.add(status.id)
    if (this.#kept.size > MOST) this.#kept.delete(first(this.#kept))
  }

  #forgetOldest(): void {
    if (this.#underWay.size > MOST) this.gone(first(this.#underWay))
  }
}

function first(ids: Set<CallId> | Map<CallId, unknown>): CallId {
  return ids.keys().next().value as CallId
}

function both(one: (() => void) | undefined, other: (() => void) | undefined): (() => void) | undefined {
  if (!one || !other) return one ?? other
  return () => {
    one()
    other()
  }
}
