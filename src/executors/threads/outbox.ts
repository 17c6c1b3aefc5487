import type { Transferable } from 'node:worker_threads'
import type { CallRing } from '../../protocol/call-ring.ts'
import { CommonParts } from '../../protocol/common-parts.ts'
import { CALL_FIELDS, MAY_BE_SLOW, TELL_START } from '../../protocol/messages.ts'
import type { Job } from '../executor.ts'
import type { LanePlace, LaneSlots } from './lane-slots.ts'

/** Calls that take longer, in microseconds, are told of as ones that others must not wait for. */
const SLOW = 100

/** The calls that go to a lane: small ones by shared memory, at once; the others in its next message. */
export class Outbox {
  readonly #ring: CallRing
  /** Of the functions, by their names, once the thread has told them. */
  #numbers: ReadonlyMap<string, number> = new Map()
  #calls: unknown[] = []
  #hasTransfer = false
  #hasSmall = false
  readonly #parts = new CommonParts()

  constructor(ring: CallRing) {
    this.#ring = ring
  }

  set functions(names: readonly string[]) {
    this.#numbers = new Map(names.map((name, number) => [name, number]))
  }

  /** False when the job may have a part in common with one that is here: it must not travel in the same message. */
  admits(job: Job): boolean {
    return this.#parts.admit(job.args)
  }

  add<J extends Job>(job: J, { slot, generation, estimate }: LanePlace<J>, tellStart: boolean): void {
    const mayBeSlow = estimate === undefined || estimate > SLOW
    const flags = (tellStart ? TELL_START : 0) | (mayBeSlow ? MAY_BE_SLOW : 0)
    const abortAfter = job.abortAfter === Infinity ? 0 : job.abortAfter
    const fn = this.#numbers.get(job.fn)
    // Behind one that waits for the message, it waits too: they are to begin in this order.
    const isFirst = this.#calls.length === 0 && !job.transfer
    if (isFirst && fn !== undefined && this.#ring.put({ slot, generation, flags, fn, args: job.args, abortAfter })) {
      this.#hasSmall = true
      return
    }
    this.#calls.push(slot, generation, flags, job.fn, job.args, abortAfter)
    if (job.transfer) this.#hasTransfer = true
  }

  /**
   * Empties the outbox.
   *
   * @returns the calls that go in a message, whether something is moved with one of them, and whether there were others.
   */
  take(): { calls: unknown[]; hasTransfer: boolean; hasSmall: boolean } {
    const taken = { calls: this.#calls, hasTransfer: this.#hasTransfer, hasSmall: this.#hasSmall }
    this.#calls = []
    this.#hasTransfer = false
    this.#hasSmall = false
    this.#parts.clear()
    return taken
  }
}

/** What is moved with the calls of a message, but for those that were taken back meanwhile. */
export function transferOf<J extends Job>(calls: readonly unknown[], slots: LaneSlots<J>): Transferable[] {
  const transfer: Transferable[] = []
  for (let at = 0; at < calls.length; at += CALL_FIELDS) {
    const job = slots.jobAt(calls[at] as number, calls[at + 1] as number)
    if (job?.transfer) transfer.push(...job.transfer)
  }
  return transfer
}
