import { createHash } from 'node:crypto'
import { keyReused } from '../../caller/idempotency.ts'
import type { CallId } from '../../model/call-id.ts'
import type { CallBook } from './call-book.ts'
import type { Dropping } from './dropping.ts'
import type { JobFacts } from './job-data.ts'
import { jobPriority } from './job-priorities.ts'
import { callIdOf } from './job-ids.ts'
import type { Lookout } from './lookout.ts'
import { QueuedCall } from './queued-call.ts'
import type { QueueLink } from './queue-link.ts'
import type { HandedIn } from './queue-store.ts'
import { queueFull, refusalOf } from './refusals.ts'

/** A call that somebody asks for, with every default in place. Times are milliseconds. */
export interface HandIn {
  fn: string
  /** What it is asked to do, a `JobData` as JSON text. */
  data: string
  timeout: number
  retain: number
  priority: number
  signal: AbortSignal | undefined
  /** Whether the outcome is kept even if nobody was given the call's ID. */
  keep: boolean
  /** With a digest of the function and its arguments. */
  key: { name: string; digest: string } | undefined
}

export interface HandingInParts {
  link: QueueLink
  book: CallBook
  dropping: Dropping
  lookout: Lookout
  queueLimit: number
}

/** Hands calls in to the queue, each once: by an idempotency key also over several clients. */
export class HandingIn {
  readonly #parts: HandingInParts
  readonly #underWay = new Set<Promise<unknown>>()
  #hasRefused = false

  constructor(parts: HandingInParts) {
    this.#parts = parts
  }

  /** Whether somebody was refused for want of room, and was not told of room since. */
  get hasRefused(): boolean {
    return this.#hasRefused
  }

  /** Whether there is room again of which nobody was told. */
  async isRoomNews(): Promise<boolean> {
    if (!this.#hasRefused) return false
    const hasRoom = await this.#parts.link.store.hasRoom(this.#parts.queueLimit)
    if (!hasRoom || !this.#hasRefused) return false
    this.#hasRefused = false
    return true
  }

  /**
   * Hands a call in; or gives the ID of the one that has its key, whoever handed that in.
   *
   * @throws CallError `KEY_REUSED`, `QUEUE_FULL` or `NODE_UNREACHABLE`.
   */
  async handIn(asked: HandIn): Promise<QueuedCall | CallId> {
    const handing = this.#handIn(asked)
    this.#underWay.add(handing)
    try {
      return await handing
    } finally {
      this.#underWay.delete(handing)
    }
  }

  /** Resolves when all calls that are being handed in are in the queue, or are not to be. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  async #handIn(asked: HandIn): Promise<QueuedCall | CallId> {
    const { link, book, lookout, queueLimit } = this.#parts
    const { fn, retain, priority, keep, key } = asked
    const call = new QueuedCall(link.ids.create(0), true)
    call.fn = fn
    call.retain = retain
    call.priority = priority
    call.admittedAt = link.clock.now()
    call.isTold = keep || key !== undefined
    // A machine can have it, and tell of it, before it is known here to be in the queue.
    book.add(call)
    let handed: HandedIn | undefined
    try {
      handed = await this.#send(call, asked)
    } finally {
      if (handed !== 'there') book.remove(call)
    }
    if (handed === 'there') {
      lookout.watch(call)
      book.admitted(call)
      return call
    }
    if (handed === 'full') {
      this.#hasRefused = true
      throw queueFull(fn, queueLimit)
    }
    // The options of the one that is there hold for it, its signal too.
    if (key && handed.digest !== key.digest) throw keyReused(key.name, fn)
    return callIdOf(handed.jobId)
  }

  async #send(call: QueuedCall, { data, key }: HandIn): Promise<HandedIn> {
    const { link, dropping, queueLimit } = this.#parts
    const { id, jobId, fn, admittedAt } = call
    const settled = dropping.takeSettled()
    const priority = jobPriority(call.priority, admittedAt)
    const keyed = key && { name: createHash('sha256').update(key.name).digest('hex'), digest: key.digest }
    try {
      const job = { jobId, fn, data, facts: factsOf(call, keyed?.name), admittedAt, priority, keyed }
      return await link.store.handIn(job, queueLimit, settled)
    } catch (error) {
      for (const each of settled) dropping.add(each, false)
      // It may have been handed in all the same: whoever comes back with its ID finds out.
      throw refusalOf(error, { fn, id, started: 'unknown' })
    }
  }
}

function factsOf({ retain, priority }: QueuedCall, keyed: string | undefined): JobFacts {
  return {
    retain: retain === Infinity ? null : retain,
    callPriority: priority,
    ...(keyed !== undefined && { keyed }),
  }
}
