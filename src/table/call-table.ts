import { CallIds, type CallId } from '../model/call-id.ts'
import type { Clock } from '../model/clock.ts'
import { CallError } from '../model/errors.ts'
import type { CallState, Outcome } from '../model/status.ts'
import { AdmittedCalls } from './admitted-calls.ts'
import { Bag } from './bag.ts'
import { Call, type CallFacts } from './call.ts'
import { Retention } from './retention.ts'
import { Waits } from './waits.ts'

export interface CallTableOptions {
  clock: Clock
  retainLimit: number
  /** Told of each kept call that is dropped because of its age or number. */
  onExpired: (call: Call) => void
}

/** Which calls `page` gives. */
export interface CallFilter {
  state: CallState | undefined
  fn: string | undefined
  /** Calls admitted after the one with this number. */
  after: number
  limit: number
  /** Tells which calls are meant. All when left out. */
  isListed?: (call: Call) => boolean
}

/** All calls that are under way or can still be asked for. */
export class CallTable {
  readonly waits: Waits
  readonly #clock: Clock
  readonly #ids = new CallIds()
  readonly #retention: Retention
  readonly #calls = new AdmittedCalls()
  readonly #byId = new Map<string, Call>()
  readonly #byKey = new Map<string, Call>()
  readonly #underWay = new Bag<Call>()
  #admitted = 0

  constructor({ clock, retainLimit, onExpired }: CallTableOptions) {
    this.#clock = clock
    this.waits = new Waits(clock)
    this.#retention = new Retention({
      clock,
      limit: retainLimit,
      onExpired: (call) => {
        this.#remove(call)
        onExpired(call)
      },
    })
  }

  /** Calls that have not ended. */
  get underWay(): number {
    return this.#underWay.size
  }

  /** Calls that have ended and are kept. */
  get kept(): number {
    return this.#retention.size
  }

  /** Calls since the table was made. */
  get admitted(): number {
    return this.#admitted
  }

  admit(facts: CallFacts): Call {
    this.#admitted += 1
    const call = new Call(facts, this.#admitted, this.#clock.now())
    this.#underWay.add(call)
    this.#calls.add(call)
    return call
  }

  /** The call's ID, made when it is first needed. */
  idOf(call: Call): CallId {
    if (call.id === undefined) {
      call.id = this.#ids.create(call.place?.cpid ?? call.cpid)
      // An ID for a log line about a call that is not kept must not keep it.
      if (this.#calls.has(call)) this.#byId.set(call.id, call)
    }
    return call.id
  }

  /** Somebody is given the call's ID and may come back with it: its outcome has to be kept. */
  tell(call: Call): CallId {
    call.isTold = true
    // Of a call that has ended this was decided then.
    if (!call.outcome) call.kept = true
    return this.idOf(call)
  }

  /** @param digest of what the key stands for. */
  bindKey(call: Call, key: string, digest: string): void {
    call.key = key
    call.digest = digest
    this.#byKey.set(key, call)
    call.kept = true
  }

  byKey(key: string): Call | undefined {
    this.#retention.sweep()
    return this.#byKey.get(key)
  }

  /** @throws CallError `CALL_UNKNOWN`, `CALL_LOST` or `CALL_EXPIRED` when there is no such call here. */
  get(id: string): Call {
    this.#retention.sweep()
    const call = this.#byId.get(id)
    if (call && (call.kept || !call.outcome)) return call
    throw this.#explain(id)
  }

  /**
   * Ends a call and answers its waits. False when it had ended before. `settle` is to follow.
   *
   * @param startedAt when its function began; undefined when it never did.
   */
  end(call: Call, outcome: Outcome, startedAt: number | undefined, endedAt: number): boolean {
    if (!call.end(outcome, startedAt, endedAt)) return false
    this.#underWay.delete(call)
    this.waits.callEnded(call)
    return true
  }

  /** Keeps a call that has ended, if somebody may come back for it. */
  settle(call: Call): void {
    // A listener may have forgotten it already.
    if (!this.#calls.has(call)) return
    if (call.kept && call.retain > 0) this.#retention.keep(call)
    else this.#remove(call)
  }

  /** Drops a call that has ended. */
  forget(call: Call): void {
    this.#retention.forget(call)
    this.#remove(call)
  }

  /** In no order. They may end on the way. */
  underWayCalls(): Iterable<Call> {
    return this.#underWay
  }

  page({ state, fn, after, limit, isListed }: CallFilter): Call[] {
    this.#retention.sweep()
    const page: Call[] = []
    for (const call of this.#calls.after(after)) {
      if (call.outcome && !call.kept) continue
      if (fn !== undefined && call.fn !== fn) continue
      if (state !== undefined && call.state !== state) continue
      if (isListed && !isListed(call)) continue
      page.push(call)
      if (page.length === limit) break
    }
    return page
  }

  #remove(call: Call): void {
    call.kept = false
    this.#calls.delete(call)
    if (call.id !== undefined) this.#byId.delete(call.id)
    // The key can be another call's by now.
    if (call.key !== undefined && this.#byKey.get(call.key) === call) this.#byKey.delete(call.key)
  }

  #explain(id: string): CallError {
    switch (this.#ids.origin(id)) {
      case 'own':
        return new CallError('CALL_EXPIRED', `call ${id} is no longer kept: its outcome was dropped or forgotten`)
      case 'other':
        return new CallError(
          'CALL_LOST',
          `call ${id} belongs to another runner, which is gone or elsewhere: what the call did is unknown`,
        )
      default:
        return new CallError('CALL_UNKNOWN', 'not a call ID: an ID is what `start` gave as `id`, ppid:cpid:time:random')
    }
  }
}
