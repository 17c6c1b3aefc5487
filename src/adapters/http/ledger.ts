import { setImmediate as nextTurn } from 'node:timers/promises'
import { CallError, type CallErrorCode } from '../../model/errors.ts'
import type { CallEvent } from '../../model/events.ts'
import type { CallStatus } from '../../model/status.ts'
import type { AnyRunner } from './options.ts'

/** A call that was started over HTTP. */
export interface Owned {
  readonly principal: string
  readonly fn: string
  /** Whether it was seen that the runner keeps it: the runner tells when it drops it. */
  isKept: boolean
  /** Waits for it that will see whether it is kept. */
  waits: number
}

/** Calls of which it is not looked whether the application has forgotten some. */
const FEW = 1_000

/** Calls that are looked at in one turn of the event loop. */
const AT_ONCE = 100

/**
 * Who owns which call. It knows a call for as long as the runner can be asked for it: of a call that is kept the runner
 * tells when it drops it, and of any other it is asked once, when that has ended. That the application has forgotten a call
 * itself nobody tells: the runner is asked for all of them when they have become many.
 */
export class Ledger {
  readonly #runner: AnyRunner
  readonly #owned = new Map<string, Owned>()
  #dropped: string[] = []
  /** The number of calls at which it is looked for those that were forgotten. */
  #sweepAt = FEW
  #isClosed = false
  readonly #onExpired = (event: CallEvent): void => {
    if (this.#owned.size === 0) return
    // Other listeners still ask whose it was.
    this.#dropped.push(event.id)
    if (this.#dropped.length === 1) setImmediate(() => this.#drop())
  }
  readonly #onFinished = (event: CallEvent): void => {
    // Reading the ID of a call makes one: calls that are not started over HTTP mostly need none.
    if (this.#owned.size === 0) return
    const { id } = event
    // It is decided after the event whether the call is kept, and who waits for it may see that first.
    if (this.#owned.get(id)?.waits === 0) setImmediate(() => void this.check(id))
  }

  constructor(runner: AnyRunner) {
    this.#runner = runner
    runner.on('expired', this.#onExpired)
    runner.on('finished', this.#onFinished)
  }

  get size(): number {
    return this.#owned.size
  }

  /** The call with its owner, who is its first to start it. */
  own(id: string, principal: string, fn: string): Owned {
    const known = this.#owned.get(id)
    if (known) return known
    const owned = { principal, fn, isKept: false, waits: 0 }
    this.#owned.set(id, owned)
    if (this.#owned.size > this.#sweepAt) void this.#sweep()
    return owned
  }

  get(id: string): Owned | undefined {
    return this.#owned.get(id)
  }

  /** Takes note of what a caller is told. */
  told(id: string, status: CallStatus): void {
    if (!status.finished) return
    const owned = this.#owned.get(id)
    if (status.id === undefined) this.#owned.delete(id)
    else if (owned) owned.isKept = true
  }

  delete(id: string): void {
    this.#owned.delete(id)
  }

  /** Takes its listeners off the runner. */
  close(): void {
    this.#isClosed = true
    this.#runner.off('expired', this.#onExpired)
    this.#runner.off('finished', this.#onFinished)
  }

  #drop(): void {
    for (const id of this.#dropped) this.#owned.delete(id)
    this.#dropped = []
  }

  /** Finds out whether a call is kept, if nobody else does. */
  async check(id: string): Promise<void> {
    if (this.#owned.get(id)?.isKept === false) await this.#ask(id)
  }

  /** Finds out which calls are still kept. */
  async #sweep(): Promise<void> {
    this.#sweepAt = Infinity
    let asked = 0
    // As they are now: more can come as fast as they are looked at.
    for (const [id, { isKept }] of Array.from(this.#owned)) {
      if (!isKept) continue
      await this.#ask(id)
      asked += 1
      if (asked % AT_ONCE === 0) await nextTurn()
      if (this.#isClosed) return
    }
    // When as many have come as there are, so that each costs one question more at most.
    this.#sweepAt = Math.max(FEW, 2 * this.#owned.size)
  }

  async #ask(id: string): Promise<void> {
    try {
      this.told(id, await this.#runner.wait(id, { timeout: 0 }))
    } catch (error) {
      if (error instanceof CallError && GONE.has(error.code)) this.#owned.delete(id)
    }
  }
}

const GONE = new Set<CallErrorCode>(['CALL_EXPIRED', 'CALL_LOST', 'CALL_UNKNOWN'])
