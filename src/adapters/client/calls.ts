import type { CallId } from '../../model/call-id.ts'
import type { Clock } from '../../model/clock.ts'
import { CallError } from '../../model/errors.ts'
import type { ListRequest } from '../../caller/requests.ts'
import type { CallPage, RunnerStats } from '../../model/runner.ts'
import type { CallStatus } from '../../model/status.ts'
import type { CallRequest } from './call-request.ts'
import type { EventFeed } from './event-feed.ts'
import type { Line } from './line.ts'
import { Looks } from './looks.ts'
import { OwnCalls } from './own-calls.ts'
import type { CancelRequest, Resources } from './resources.ts'
import { abortedUnsent, Starting } from './starting.ts'
import { ToldIds } from './told-ids.ts'

export interface CallsParts {
  line: Line
  feed: EventFeed
  resources: Resources
  clock: Clock
  /** Milliseconds beyond a wait in which the node has to answer. */
  margin: number
}

/** A call that is asked for in turns. */
export interface PreparedCall {
  /** The call's ID, where the node has told it. */
  readonly id: CallId | undefined
  /** Whether the node may have been asked for the call. */
  readonly isAsked: boolean
  /**
   * Asks for the call's status, and waits as long for its end.
   *
   * @throws as `start`; the reason of `stop`, which ends this turn only.
   */
  ask(wait: number, stop: AbortSignal): Promise<CallStatus>
}

/** Milliseconds for which a call that is asked for waits to be heard of, though its own timeout is shorter. */
const LEAST_HEARING = 2_000

/** Calls that are asked for at once while the client closes. */
const AT_ONCE = 50

/** The calls that a client starts and asks for. */
export class Calls {
  /** Whether no more calls are started. */
  isClosed = false
  readonly #line: Line
  readonly #feed: EventFeed
  readonly #resources: Resources
  readonly #clock: Clock
  readonly #margin: number
  readonly #looks: Looks
  readonly #own = new OwnCalls()
  readonly #told = new ToldIds()
  readonly #starting = new Map<Starting, Promise<unknown>>()
  readonly #forgetting = new Set<Promise<void>>()
  #waits = 0

  constructor({ line, feed, resources, clock, margin }: CallsParts) {
    this.#line = line
    this.#feed = feed
    this.#resources = resources
    this.#clock = clock
    this.#margin = margin
    this.#looks = new Looks(line, clock, (id, status) => this.#own.heard(id, status))
    feed.onId = (id) => this.#told.tell(id)
    feed.onExpired = (id) => this.#own.expired(id)
  }

  /** A call for whoever asks for it in turns: whatever becomes of one of them, it runs once. */
  prepare(request: CallRequest): PreparedCall {
    const starting = new Starting(this.#line, this.#margin, request)
    return {
      get id() {
        return starting.id
      },
      get isAsked() {
        return starting.isAsked
      },
      ask: async (wait, stop) => {
        const { id } = starting
        if (id === undefined) return this.start({ ...request, timeout: wait }, starting, stop)
        const status = await this.#counted(wait, () => this.#about(id, this.#looks.wait(id, wait, stop)))
        return this.#handOver(status, request, starting)
      },
    }
  }

  /**
   * Starts the call, and waits for it as long as it says.
   *
   * @param stop ends this request, and not the call.
   */
  async start(
    request: CallRequest,
    starting = new Starting(this.#line, this.#margin, request),
    stop?: AbortSignal,
  ): Promise<CallStatus> {
    const { fn, signal } = request
    if (this.isClosed) throw closed(fn)
    if (signal?.aborted && !starting.isAsked) throw abortedUnsent(fn, signal.reason)
    const over = signal && this.#subscribe(starting, signal)
    const answer = this.#counted(request.timeout, () => this.#untilAnswered(starting, request, over, stop))
    const settled = answer.catch(() => {
      // Otherwise it is over when the call ends.
      if (starting.id === undefined) over?.()
    })
    this.#starting.set(starting, settled)
    this.#told.starting()
    try {
      return this.#handOver(await answer, request, starting)
    } finally {
      this.#told.settled()
      this.#starting.delete(starting)
    }
  }

  wait(id: CallId, timeout: number, signal?: AbortSignal): Promise<CallStatus> {
    this.#told.tell(id)
    return this.#counted(timeout, () => this.#about(id, this.#looks.wait(id, timeout, signal)))
  }

  async cancel(id: CallId, request: CancelRequest): Promise<CallStatus> {
    this.#told.tell(id)
    const status = await this.#about(id, this.#resources.cancel(id, request))
    this.#looks.heard(id, status)
    return status
  }

  async list(request: ListRequest): Promise<CallPage> {
    // What nobody was given the ID of is not to be seen any more.
    await this.untilForgotten()
    const page = await this.#resources.list(request)
    for (const { id } of page.calls) this.#told.tell(id)
    return page
  }

  async forget(id: CallId): Promise<void> {
    await this.#about(id, this.#resources.forget(id))
    this.#own.gone(id)
  }

  /** What `stats` can tell of calls. */
  counts(): Pick<RunnerStats, 'calls' | 'total' | 'queueLength' | 'waits'> {
    return { ...this.#own.counts(), waits: this.#waits }
  }

  /** Those that have not begun first: otherwise they would begin in the places of those that end. */
  async abortAll(request: CancelRequest): Promise<void> {
    await Promise.all(Array.from(this.#starting.keys(), (starting) => this.#cancelStarting(starting, request)))
    await eachOf(this.#own.underWay, (id) => this.cancel(id, request))
  }

  /** Resolves when the calls that were started here have ended, as far as that can be learnt. */
  async untilEnded(): Promise<void> {
    await Promise.all(this.#starting.values())
    const wait = async (id: CallId): Promise<void> => {
      await this.#looks.wait(id, Infinity).catch(() => this.#own.gone(id))
    }
    while (this.#own.underWay.length > 0) await eachOf(this.#own.underWay, wait)
    await this.untilForgotten()
  }

  /** Resolves when the node has let go of the calls whose outcomes were handed out, or does not answer. */
  async untilForgotten(): Promise<void> {
    await Promise.all(this.#forgetting)
  }

  /** Starts the call, and waits for it as long as was asked for. */
  async #untilAnswered(
    starting: Starting,
    request: CallRequest,
    over?: () => void,
    stop?: AbortSignal,
  ): Promise<CallStatus> {
    const until = this.#clock.now() + request.timeout
    // Subscribe before starting: the call may end first.
    await this.#feed.opened(Math.min(this.#margin, Math.max(LEAST_HEARING, request.timeout)), [request.signal, stop])
    stop?.throwIfAborted()
    const status = await starting.ask(Math.max(0, until - this.#clock.now()), stop)
    for (const buffer of request.transfer) if (!buffer.detached) structuredClone(null, { transfer: [buffer] })
    this.#own.started(status, over)
    const left = until - this.#clock.now()
    if (status.finished || left <= 0) return status
    return this.#about(status.id, this.#looks.wait(status.id, left, stop))
  }

  /** The node keeps every call, as its answer could have got lost. This one has arrived. */
  #handOver(status: CallStatus, { keep }: CallRequest, starting: Starting): CallStatus {
    if (!status.finished || status.id === undefined || keep || this.#told.has(status.id)) return status
    const { id, ...outcome } = status
    this.#own.gone(id)
    // A start that comes late must find it there. It expires by itself.
    if (starting.hasStrays) return outcome
    // If this does not arrive, the call expires by itself.
    const forgotten = this.#resources.forget(id).catch(() => undefined)
    this.#forgetting.add(forgotten)
    void forgotten.then(() => this.#forgetting.delete(forgotten))
    return outcome
  }

  #subscribe(starting: Starting, signal: AbortSignal): () => void {
    const onAbort = (): void => void this.#cancelStarting(starting, { reason: signal.reason, grace: undefined })
    // It may have been aborted while nobody asked for the call.
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    return () => signal.removeEventListener('abort', onAbort)
  }

  /** Cancels a call whose ID may not be known here yet: its key stands for it. */
  async #cancelStarting(starting: Starting, request: CancelRequest): Promise<void> {
    if (!starting.isAsked) {
      starting.giveUp(request.reason)
      return
    }
    try {
      const id = starting.id ?? (await starting.ask(0)).id
      if (id !== undefined) await this.cancel(id, request)
    } catch (error) {
      // Whoever waits for it is told the same.
      const isUnreachable = error instanceof CallError && error.code === 'NODE_UNREACHABLE'
      if (isUnreachable && starting.id === undefined) starting.fail(error)
    }
  }

  /** Remembers when a call cannot be asked for any more. */
  async #about<T>(id: CallId, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (error instanceof CallError && (error.code === 'CALL_EXPIRED' || error.code === 'CALL_LOST')) {
        this.#own.gone(id)
      }
      throw error
    }
  }

  async #counted<T>(timeout: number, wait: () => Promise<T>): Promise<T> {
    if (timeout === 0) return wait()
    this.#waits += 1
    try {
      return await wait()
    } finally {
      this.#waits -= 1
    }
  }
}

export function closed(fn?: string): CallError {
  return new CallError('RUNNER_CLOSED', 'the client is closed: connect again', { fn })
}

/** Some at a time. What goes wrong with one is no matter for the others. */
async function eachOf(ids: readonly CallId[], run: (id: CallId) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    await Promise.allSettled(ids.slice(i, i + AT_ONCE).map(run))
  }
}
