import type { JobSource } from '../executors/executor.ts'
import type { Call } from '../table/call.ts'

/** Milliseconds of waiting that count as much as one step of priority. */
const AGING = 1_000

/** The calls of one priority, in the order of their admission: a list whose links are in the calls themselves. */
class Level {
  readonly priority: number
  first: Call | undefined
  last: Call | undefined

  constructor(priority: number) {
    this.priority = priority
  }

  /** What the level's first call is ordered by among all levels: smaller goes first. */
  get rank(): number {
    return (this.first?.admittedAt ?? Infinity) - this.priority * AGING
  }

  insertAfter(before: Call | undefined, call: Call): void {
    const after = before ? before.queuedAfter : this.first
    call.queuedBefore = before
    call.queuedAfter = after
    if (before) before.queuedAfter = call
    else this.first = call
    if (after) after.queuedBefore = call
    else this.last = call
  }

  delete(call: Call): void {
    const { queuedBefore, queuedAfter } = call
    if (queuedBefore) queuedBefore.queuedAfter = queuedAfter
    else this.first = queuedAfter
    if (queuedAfter) queuedAfter.queuedBefore = queuedBefore
    else this.last = queuedBefore
    call.queuedBefore = undefined
    call.queuedAfter = undefined
  }

  has(call: Call): boolean {
    return call.queuedBefore !== undefined || this.first === call
  }
}

/**
 * Calls that wait to be sent somewhere. Higher priority first, first in first out within one. A call's priority grows
 * while it waits, so that none waits for ever behind newer ones; as it grows for all calls at the same pace, the order
 * of two calls never changes, and nothing has to be sorted again.
 */
export class CallQueue implements JobSource<Call> {
  /** Levels that have had calls. There are at most as many as there are priorities. */
  readonly #levels: Level[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  push(call: Call): void {
    const level = this.#level(call.priority)
    level.insertAfter(level.last, call)
    this.#size += 1
  }

  peek(): Call | undefined {
    return this.#first()?.first
  }

  take(): Call | undefined {
    const level = this.#first()
    const call = level?.first
    if (!level || !call) return undefined
    level.delete(call)
    this.#size -= 1
    return call
  }

  putBack(call: Call): void {
    const level = this.#level(call.priority)
    // It was at the front not long ago, so its place is near there.
    let before: Call | undefined
    for (let at = level.first; at && at.seq < call.seq; at = at.queuedAfter) before = at
    level.insertAfter(before, call)
    this.#size += 1
  }

  /** Takes out a call, wherever it is. False when it is not here. */
  delete(call: Call): boolean {
    const level = this.#levels.find(({ priority }) => priority === call.priority)
    if (!level?.has(call)) return false
    level.delete(call)
    this.#size -= 1
    return true
  }

  #first(): Level | undefined {
    if (this.#size === 0) return undefined
    if (this.#levels.length === 1) return this.#levels[0]
    let first: Level | undefined
    for (const level of this.#levels) if (level.first && (!first || level.rank < first.rank)) first = level
    return first
  }

  #level(priority: number): Level {
    const known = this.#levels.find((level) => level.priority === priority)
    if (known) return known
    const level = new Level(priority)
    this.#levels.push(level)
    return level
  }
}
