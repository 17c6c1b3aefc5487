import { Listeners } from '../../caller/listeners.ts'
import { TimeHistogram } from '../../caller/time-histogram.ts'
import type { CallEvent } from '../../model/events.ts'
import type { RunnerStats } from '../../model/runner.ts'
import type { CallEnd } from './job-ends.ts'
import { KeptCalls } from './kept-calls.ts'
import type { QueuedCall } from './queued-call.ts'
import type { ServerClock } from './server-clock.ts'
import { Waits } from './waits.ts'

export interface CallBookParts {
  clock: ServerClock
  retainLimit: number
  /** Drops a finished call from Redis; one that nobody has the ID of only if no list has told it since. */
  drop: (jobId: string, isKnown: boolean) => void
}

/** What this client knows of the calls that it started or waits for: their states, counts and events. */
export class CallBook {
  readonly listeners = new Listeners()
  readonly waits = new Waits()
  readonly #clock: ServerClock
  readonly #drop: CallBookParts['drop']
  readonly #kept: KeptCalls
  /** By job ID. */
  readonly #underWay = new Map<string, QueuedCall>()
  readonly #total = { admitted: 0, succeeded: 0, failed: 0, expired: 0 }
  readonly #queueTimes = new TimeHistogram()
  readonly #runTimes = new TimeHistogram()
  #owned = 0
  #isIdle = true
  #whenIdle: (() => void) | undefined

  constructor({ clock, retainLimit, drop }: CallBookParts) {
    this.#clock = clock
    this.#drop = drop
    this.#kept = new KeptCalls(retainLimit, (jobId, kept) => {
      this.#drop(jobId, true)
      this.#expired(kept)
    })
  }

  get(jobId: string): QueuedCall | undefined {
    return this.#underWay.get(jobId)
  }

  underWay(): Iterable<QueuedCall> {
    return this.#underWay.values()
  }

  *own(): Iterable<QueuedCall> {
    for (const call of this.#underWay.values()) if (call.isOwn) yield call
  }

  /** Takes a call in, before anything about it can be heard. */
  add(call: QueuedCall): void {
    this.#underWay.set(call.jobId, call)
    if (call.isOwn) this.#owned += 1
  }

  /** Takes a call out that there is none of after all, or that nobody waits for any more. */
  remove(call: QueuedCall): void {
    if (this.#underWay.get(call.jobId) !== call) return
    this.#underWay.delete(call.jobId)
    if (call.isOwn) this.#owned -= 1
    this.#tellIfIdle()
  }

  admitted(call: QueuedCall): void {
    this.#total.admitted += 1
    this.#isIdle = false
    if (this.listeners.has('queued')) this.listeners.tell('queued', about(call))
    call.admitted()
  }

  /** A call of which it turned out that it never could have been: it was not admitted. */
  refusedLate(): void {
    this.#total.admitted -= 1
    this.#total.failed -= 1
  }

  started(call: QueuedCall, startedAt: number): void {
    if (call.startedAt !== undefined || call.end) return
    call.startedAt = startedAt
    if (call.isOwn && this.listeners.has('started'))
      this.listeners.tell('started', { ...about(call), queueTime: queueTimeOf(call) })
  }

  progressed(call: QueuedCall, value: unknown): void {
    if (call.end) return
    call.progress = { value }
    if (call.isOwn) this.listeners.tell('progress', { ...about(call), progress: value })
  }

  ended(call: QueuedCall, end: CallEnd): void {
    if (call.end) return
    if (end.times?.startedAt !== undefined) this.started(call, end.times.startedAt)
    call.end = end
    call.cancel = undefined
    call.unsubscribe?.()
    const endedAt = end.times?.endedAt ?? this.#clock.now()
    if (!end.outcome.ok) end.outcome.error.id = call.id
    this.#underWay.delete(call.jobId)
    if (call.isOwn) this.#settle(call, endedAt)
    else call.isKept = call.retain > 0
    this.waits.release(call)
    if (!call.isOwn) return
    this.#owned -= 1
    this.#count(call, end, endedAt)
    // The news of its end took longer than it is kept.
    const isOver = !call.isKept && endedAt + call.retain <= this.#clock.now()
    if (isOver && call.isTold && call.retain > 0) this.#expired(call)
    this.#tellIfIdle()
  }

  forget(jobId: string): void {
    this.#kept.forget(jobId)
  }

  /** Whoever waits for the calls of this client waits no more. */
  clear(): void {
    this.#kept.clear()
    this.#whenIdle?.()
  }

  /** Resolves when no call of this client is under way, or at `clear`. */
  async untilIdle(): Promise<void> {
    if (this.#owned === 0) return
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve
    })
  }

  stats(): RunnerStats {
    const calls = { queued: 0, running: 0, finished: this.#kept.size }
    for (const call of this.own()) calls[call.startedAt === undefined ? 'queued' : 'running'] += 1
    const none = { size: 0, busy: 0 }
    return {
      calls,
      total: { ...this.#total },
      queueLength: calls.queued,
      waits: this.waits.size,
      threads: { ...none },
      processes: { ...none },
      queueTime: this.#queueTimes.stats,
      runTime: this.#runTimes.stats,
    }
  }

  /** Keeps a call of this client if somebody may come back for it. Otherwise its outcome has done its duty. */
  #settle(call: QueuedCall, endedAt: number): void {
    const left = endedAt + call.retain - this.#clock.now()
    call.isKept = call.isTold && call.retain > 0 && this.#kept.keep(call, left)
    if (!call.isKept) this.#drop(call.jobId, call.isTold)
  }

  #count(call: QueuedCall, { outcome }: CallEnd, endedAt: number): void {
    this.#total[outcome.ok ? 'succeeded' : 'failed'] += 1
    const queueTime = queueTimeOf(call, endedAt)
    const runTime = call.startedAt === undefined ? 0 : microseconds(endedAt - call.startedAt)
    if (call.startedAt !== undefined) {
      this.#queueTimes.record(queueTime)
      this.#runTimes.record(runTime)
    }
    if (this.listeners.has('finished')) this.listeners.tell('finished', { ...about(call), outcome, queueTime, runTime })
  }

  #expired({ id, fn }: CallEvent): void {
    this.#total.expired += 1
    this.listeners.tell('expired', { id, fn })
  }

  #tellIfIdle(): void {
    if (this.#owned > 0) return
    if (!this.#isIdle) {
      this.#isIdle = true
      this.listeners.tell('idle')
    }
    this.#whenIdle?.()
  }
}

function about({ id, fn }: QueuedCall): CallEvent {
  return { id, fn }
}

function queueTimeOf({ admittedAt, startedAt }: QueuedCall, endedAt?: number): number {
  return microseconds((startedAt ?? endedAt ?? admittedAt) - admittedAt)
}

function microseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1_000))
}
