import type { ServerResponse } from 'node:http'
import type { Clock } from '../../model/clock.ts'
import type { Runner } from '../../model/runner.ts'
import type { CallStatus } from '../../model/status.ts'
import type { Ledger, Owned } from './ledger.ts'
import type { Quota } from './quota.ts'
import { streamOf } from './response.ts'

/** Milliseconds of a wait in which it is not looked whether its client is still there: most calls end before that. */
const BRIEF = 20

/** Why a wait ended without an answer. */
export type WaitEnd = 'disconnected' | 'no room'

const DISCONNECTED = new Error('the client has gone')

/** Waits for calls on behalf of clients that may go away meanwhile. */
export class Waiting {
  readonly #runner: Runner
  readonly #clock: Clock
  readonly #quota: Quota
  readonly #ledger: Ledger
  /** Ends the waits under way, each with what is known of its call by then. */
  readonly #held = new Set<AbortController>()
  #isClosed = false

  constructor(runner: Runner, ledger: Ledger, clock: Clock, quota: Quota) {
    this.#runner = runner
    this.#clock = clock
    this.#quota = quota
    this.#ledger = ledger
  }

  /**
   * Waits for a call: at most `ms` milliseconds, and no longer than its client does.
   *
   * @returns what the runner says of the call; or why nobody is to be told.
   */
  async wait(id: string, ms: number, owned: Owned, response: ServerResponse): Promise<CallStatus | WaitEnd> {
    owned.waits += 1
    try {
      const status = await this.#wait(id, ms, owned.principal, response)
      if (typeof status === 'object') this.#ledger.told(id, status)
      return status
    } finally {
      owned.waits -= 1
      // Its end may have been left to this wait to see.
      if (owned.waits === 0 && !owned.isKept) void this.#ledger.check(id)
    }
  }

  /** Answers all waits that are held, and holds no more. */
  close(): void {
    this.#isClosed = true
    for (const controller of this.#held) controller.abort()
  }

  async #wait(id: string, ms: number, principal: string, response: ServerResponse): Promise<CallStatus | WaitEnd> {
    const until = this.#clock.now() + ms
    const status = await this.#runner.wait(id, { timeout: Math.min(ms, BRIEF) })
    const left = until - this.#clock.now()
    if (status.finished || left <= 0 || this.#isClosed) return status
    if (streamOf(response).destroyed) return 'disconnected'
    if (!this.#quota.take(principal)) return 'no room'
    try {
      return await this.#hold(id, left, response)
    } finally {
      this.#quota.giveBack(principal)
    }
  }

  async #hold(id: string, ms: number, response: ServerResponse): Promise<CallStatus | WaitEnd> {
    const controller = new AbortController()
    const onClose = (): void => controller.abort(DISCONNECTED)
    response.once('close', onClose)
    this.#held.add(controller)
    const { signal } = controller
    try {
      return await this.#runner.wait(id, { timeout: ms, signal })
    } catch (error) {
      if (signal.reason === DISCONNECTED) return 'disconnected'
      if (signal.aborted) return this.#runner.wait(id, { timeout: 0 })
      throw error
    } finally {
      response.off('close', onClose)
      this.#held.delete(controller)
    }
  }
}
