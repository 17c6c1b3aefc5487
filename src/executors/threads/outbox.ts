import type { Transferable } from 'node:worker_threads'
import { CommonParts } from '../../protocol/common-parts.ts'
import type { LaneMemory } from '../../protocol/lane-memory.ts'
import { CALL_FIELDS, MAY_BE_SLOW, TELL_START, type ToHost } from '../../protocol/messages.ts'
import type { Job } from '../executor.ts'
import type { LanePlace, LaneSlots } from './lane-slots.ts'

/** Calls that take longer, in microseconds, are told of as ones that others must not wait for. */
const SLOW = 100

export interface OutboxParts<J extends Job> {
  memory: LaneMemory
  slots: LaneSlots<J>
  /** @throws DOMException `DataCloneError` when something in the message cannot travel between threads. */
  send: (message: ToHost, transfer?: readonly Transferable[]) => void
  /** Told of a job whose arguments cannot travel, and why. */
  refuse: (job: J, error: unknown) => void
}

/** The calls that go to a lane: small ones by shared memory, at once; the others in its next message. */
export class Outbox<J extends Job> {
  readonly #memory: LaneMemory
  readonly #slots: LaneSlots<J>
  readonly #send: OutboxParts<J>['send']
  readonly #refuse: OutboxParts<J>['refuse']
  /** Of the functions, by their names, once the thread has told them. */
  #numbers: ReadonlyMap<string, number> = new Map()
  /** Those that wait for the message. */
  #calls: unknown[] = []
  #hasTransfer = false
  #hasSmall = false
  readonly #parts = new CommonParts()

  constructor({ memory, slots, send, refuse }: OutboxParts<J>) {
    this.#memory = memory
    this.#slots = slots
    this.#send = send
    this.#refuse = refuse
  }

  set functions(names: readonly string[]) {
    this.#numbers = new Map(names.map((name, number) => [name, number]))
  }

  /**
   * Whether `add` may follow. False when the job would go in the message, and may have a part in common with one that is
   * here.
   */
  admits(job: J): boolean {
    return this.#calls.length === 0 || this.#parts.admit(job.args)
  }

  add(job: J, { slot, generation, estimate }: LanePlace<J>, tellStart: boolean): void {
    const mayBeSlow = estimate === undefined || estimate > SLOW
    const flags = (tellStart ? TELL_START : 0) | (mayBeSlow ? MAY_BE_SLOW : 0)
    const { args, transfer } = job
    const abortAfter = job.abortAfter === Infinity ? 0 : job.abortAfter
    const fn = this.#numbers.get(job.fn)
    // Behind one that waits for the message, it waits too: they are to begin in this order.
    const mayBeSmall = this.#calls.length === 0 && fn !== undefined && !transfer
    if (mayBeSmall && this.#memory.calls.put({ slot, generation, flags, fn, args, abortAfter })) {
      this.#hasSmall = true
      return
    }
    // The first of a message, which `admits` has let by.
    if (this.#calls.length === 0) this.#parts.admit(args)
    this.#calls.push(slot, generation, flags, job.fn, args, abortAfter)
    if (transfer) this.#hasTransfer = true
  }

  /** Sends what is here. */
  post(): void {
    const [calls, hasTransfer, hasSmall] = [this.#calls, this.#hasTransfer, this.#hasSmall]
    this.#calls = []
    this.#hasTransfer = false
    this.#hasSmall = false
    this.#parts.clear()
    if (calls.length > 0) this.#post(calls, hasTransfer)
    else if (hasSmall && !this.#memory.wake()) this.#send({ type: 'look' })
  }

  #post(calls: unknown[], hasTransfer: boolean): void {
    try {
      const message: ToHost = { type: 'run', calls, after: this.#memory.calls.sent }
      this.#send(message, hasTransfer ? this.#transferOf(calls) : [])
    } catch (error) {
      if (calls.length > CALL_FIELDS) return this.#postSingly(calls)
      const job = this.#jobAt(calls, 0)
      if (job) this.#refuse(job, error)
    }
  }

  /** One of them cannot travel, and takes none of the others with it. */
  #postSingly(calls: unknown[]): void {
    for (let at = 0; at < calls.length; at += CALL_FIELDS) {
      const job = this.#jobAt(calls, at)
      // Cancelled by somebody who heard of the end of another.
      if (job) this.#post(calls.slice(at, at + CALL_FIELDS), job.transfer !== undefined)
    }
  }

  /** What is moved with the calls of a message, but for those that were taken back meanwhile. */
  #transferOf(calls: readonly unknown[]): Transferable[] {
    const transfer: Transferable[] = []
    for (let at = 0; at < calls.length; at += CALL_FIELDS) {
      const job = this.#jobAt(calls, at)
      if (job?.transfer) transfer.push(...job.transfer)
    }
    return transfer
  }

  #jobAt(calls: readonly unknown[], at: number): J | undefined {
    return this.#slots.jobAt(calls[at] as number, calls[at + 1] as number)
  }
}
