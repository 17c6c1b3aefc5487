import type { Transferable } from 'node:worker_threads'
import { CommonParts } from '../../protocol/common-parts.ts'
import { CALL_FIELDS, MAY_BE_SLOW, TELL_START } from '../../protocol/messages.ts'
import type { Job } from '../executor.ts'
import type { LanePlace, LaneSlots } from './lane-slots.ts'

/** Calls that take longer, in microseconds, are told of as ones that others must not wait for. */
const SLOW = 100

/** The calls that go to a lane in its next message. */
export class Outbox {
  #calls: unknown[] = []
  #hasTransfer = false
  readonly #parts = new CommonParts()

  /** False when the job may have a part in common with one that is here: it must not travel in the same message. */
  admits(job: Job): boolean {
    return this.#parts.admit(job.args)
  }

  add<J extends Job>(job: J, { slot, generation, estimate }: LanePlace<J>, tellStart: boolean): void {
    const mayBeSlow = estimate === undefined || estimate > SLOW
    const flags = (tellStart ? TELL_START : 0) | (mayBeSlow ? MAY_BE_SLOW : 0)
    const abortAfter = job.abortAfter === Infinity ? 0 : job.abortAfter
    this.#calls.push(slot, generation, flags, job.fn, job.args, abortAfter)
    if (job.transfer) this.#hasTransfer = true
  }

  /** Empties the outbox: the calls as they travel, and whether something is moved with one of them. */
  take(): { calls: unknown[]; hasTransfer: boolean } {
    const taken = { calls: this.#calls, hasTransfer: this.#hasTransfer }
    this.#calls = []
    this.#hasTransfer = false
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
