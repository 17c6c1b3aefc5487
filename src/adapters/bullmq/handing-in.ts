import type { JobsOptions } from 'bullmq'
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf, keyReused } from '../../caller/idempotency.ts'
import type { CallId } from '../../model/call-id.ts'
import type { CallBook } from './call-book.ts'
import type { Dropping } from './dropping.ts'
import { writeJobData, type CallLimits, type JobFacts } from './job-data.ts'
import { jobPriority } from './job-priorities.ts'
import { callIdOf } from './job-ids.ts'
import type { Lookout } from './lookout.ts'
import { QueuedCall } from './queued-call.ts'
import type { QueueLink } from './queue-link.ts'
import { queueFull, refusalOf } from './refusals.ts'

/** A call that somebody asks for, with every default in place. Times are milliseconds. */
export interface HandIn {
  fn: string
  args: readonly unknown[]
  /** What the serving runner is to be asked for. */
  limits: CallLimits
  /** How often it may begin. */
  starts: number
  timeout: number
  retain: number
  priority: number
  signal: AbortSignal | undefined
  /** Whether the outcome is kept even if nobody was given the call's ID. */
  keep: boolean
  idempotencyKey: string | undefined
}

export interface HandingInParts {
  link: QueueLink
  book: CallBook
  dropping: Dropping
  lookout: Lookout
  queueLimit: number
  /** Bytes that arguments may have. */
  valueLimit: number
}

/** Milliseconds between two looks whether the call is there that somebody else hands in by the same key. */
const KEY_PATIENCE = 20

/** Hands calls in to the queue, each once: by an idempotency key also over several clients. */
export class HandingIn {
  readonly #parts: HandingInParts
  /** Calls that are being handed in by a key. */
  readonly #byKey = new Map<string, { digest: string; call: Promise<QueuedCall | CallId> }>()
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
   * Hands a call in; or gives the ID of the one that has its key.
   *
   * @throws CallError `KEY_REUSED`, `QUEUE_FULL` or `NODE_UNREACHABLE`; RangeError for arguments that are too large.
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
    const { idempotencyKey, fn, args } = asked
    if (idempotencyKey === undefined) return this.#add(asked)
    const digest = digestOf(fn, args)
    const before = this.#byKey.get(idempotencyKey)
    if (before) {
      if (before.digest !== digest) throw keyReused(idempotencyKey, fn)
      return before.call
    }
    const call = this.#addByKey(asked, idempotencyKey, digest)
    this.#byKey.set(idempotencyKey, { digest, call })
    try {
      return await call
    } finally {
      this.#byKey.delete(idempotencyKey)
    }
  }

  async #addByKey(asked: HandIn, key: string, digest: string): Promise<QueuedCall | CallId> {
    const { store, ids } = this.#parts.link
    const { fn } = asked
    const keyed = createHash('sha256').update(key).digest('hex')
    const call = new QueuedCall(ids.create(0), true)
    for (;;) {
      const claimed = await store.claim(keyed, call.jobId, digest).catch((error: unknown) => {
        throw refusalOf(error, { fn, started: 'no' })
      })
      if (claimed.digest !== digest) throw keyReused(key, fn)
      if (claimed.isThere) return callIdOf(claimed.jobId)
      if (claimed.jobId === call.jobId) break
      await sleep(KEY_PATIENCE)
    }
    try {
      return await this.#add(asked, call, keyed)
    } catch (error) {
      await store.unclaim(keyed, call.jobId).catch(() => undefined)
      throw error
    }
  }

  async #add(asked: HandIn, call?: QueuedCall, keyed?: string): Promise<QueuedCall> {
    const { link, book, dropping, lookout, queueLimit, valueLimit } = this.#parts
    const { fn, args, retain, priority, keep } = asked
    const handed = call ?? new QueuedCall(link.ids.create(0), true)
    handed.fn = fn
    handed.retain = retain
    handed.priority = priority
    handed.admittedAt = link.clock.now()
    handed.isTold = keep || keyed !== undefined
    const data = writeJobData(args, asked.limits, asked.starts)
    book.add(handed)
    try {
      await link.queue.add(fn, data, { ...optionsOf(handed, keyed), sizeLimit: valueLimit })
      // Meanwhile a machine can have it already.
      if (!(await link.store.admit(handed.jobId, handed.admittedAt, queueLimit, dropping.takeSettled()))) {
        this.#hasRefused = true
        throw queueFull(fn, queueLimit)
      }
    } catch (error) {
      book.remove(handed)
      this.#checkSize(fn, data)
      // It may have been handed in all the same: whoever comes back with its ID finds out.
      throw refusalOf(error, { fn, id: handed.id, started: 'unknown' })
    }
    lookout.watch(handed)
    book.admitted(handed)
    return handed
  }

  #checkSize(fn: string, data: object): void {
    const { valueLimit } = this.#parts
    const size = Buffer.byteLength(JSON.stringify(data))
    if (size <= valueLimit) return
    throw new RangeError(
      `args of "${fn}" have ${size} bytes as they travel, more than valueLimit (${valueLimit}): hand in less, or where it is to be found`,
    )
  }
}

function optionsOf(call: QueuedCall, keyed: string | undefined): JobsOptions & JobFacts {
  const { jobId, priority, retain, admittedAt } = call
  return {
    jobId,
    timestamp: Math.floor(admittedAt),
    priority: jobPriority(priority, admittedAt),
    attempts: 1,
    // How long an outcome is kept is not a matter of others that end after it.
    removeOnComplete: false,
    removeOnFail: false,
    retain: retain === Infinity ? null : retain,
    callPriority: priority,
    ...(keyed !== undefined && { keyed }),
  }
}
