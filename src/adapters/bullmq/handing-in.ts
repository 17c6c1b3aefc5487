import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
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
import { abortedBefore, queueFull, refusalOf } from './refusals.ts'

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
    const { key, fn } = asked
    if (key === undefined) return this.#add(asked)
    const { name, digest } = key
    const before = this.#byKey.get(name)
    if (before) {
      if (before.digest !== digest) throw keyReused(name, fn)
      // The options of the first hold for it, its signal too.
      const call = await before.call
      return typeof call === 'string' ? call : call.id
    }
    const call = this.#addByKey(asked, name, digest)
    this.#byKey.set(name, { digest, call })
    try {
      return await call
    } finally {
      this.#byKey.delete(name)
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
      if (claimed.jobId !== call.jobId) {
        await sleep(KEY_PATIENCE)
        if (asked.signal?.aborted) throw abortedBefore(fn, asked.signal.reason)
        continue
      }
      try {
        if (await this.#tryAdd(asked, call, keyed)) return call
      } catch (error) {
        // In the order in which Redis is asked, also if it answers late or not at all.
        store.unclaim(keyed, call.jobId).catch(() => undefined)
        throw error
      }
    }
  }

  async #add(asked: HandIn): Promise<QueuedCall> {
    const call = new QueuedCall(this.#parts.link.ids.create(0), true)
    await this.#tryAdd(asked, call, undefined)
    return call
  }

  /** @returns whether the call is in the queue: not if its key has become another call's. */
  async #tryAdd(asked: HandIn, call: QueuedCall, keyed: string | undefined): Promise<boolean> {
    const { book, lookout } = this.#parts
    const { fn, retain, priority, keep } = asked
    call.fn = fn
    call.retain = retain
    call.priority = priority
    call.admittedAt = this.#parts.link.clock.now()
    call.isTold = keep || keyed !== undefined
    // A machine can have it, and tell of it, before it is known here to be in the queue.
    book.add(call)
    let handed: HandedIn | undefined
    try {
      handed = await this.#send(call, asked.data, keyed)
    } finally {
      if (handed !== 'there') book.remove(call)
    }
    if (handed === 'unkeyed') return false
    if (handed === 'full') {
      this.#hasRefused = true
      throw queueFull(fn, this.#parts.queueLimit)
    }
    lookout.watch(call)
    book.admitted(call)
    return true
  }

  async #send(call: QueuedCall, data: string, keyed: string | undefined): Promise<HandedIn> {
    const { link, dropping, queueLimit } = this.#parts
    const { id, jobId, fn, admittedAt } = call
    const settled = dropping.takeSettled()
    const priority = jobPriority(call.priority, admittedAt)
    try {
      const job = { jobId, fn, data, facts: factsOf(call, keyed), admittedAt, priority }
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
