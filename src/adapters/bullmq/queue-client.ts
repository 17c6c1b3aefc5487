import { setTimeout as sleep } from 'node:timers/promises'
import type { ListRequest } from '../../caller/requests.ts'
import type { CallId } from '../../model/call-id.ts'
import { CallError } from '../../model/errors.ts'
import { CallBook } from './call-book.ts'
import { encodeReason, droppedCall } from './cancels.ts'
import { Dropping } from './dropping.ts'
import { HandingIn } from './handing-in.ts'
import { isStoredApart, lostCall, readable, readReturned, writeFailure } from './job-ends.ts'
import { jobIdOf } from './job-ids.ts'
import { readProgress } from './job-values.ts'
import { Lookout } from './lookout.ts'
import type { ResolvedConnectOptions } from './options.ts'
import { QueuedCall } from './queued-call.ts'
import type { QueueListener } from './queue-events.ts'
import { QueueLink } from './queue-link.ts'
import type { Row, Seen } from './queue-store.ts'
import { closed, missing, notEnded, refusalOf } from './refusals.ts'
import { isKept } from './rows.ts'
import { ServerClock } from './server-clock.ts'

/** Milliseconds between two looks whether a machine serves the queue: at first, and at most. */
const SERVED_SOON = 20
const SERVED_LATE = 1_000

/** What a client does about calls in a queue: it hands them in, hears and looks how they get on, and cancels them. */
export class QueueClient {
  readonly book: CallBook
  readonly handingIn: HandingIn
  readonly #link: QueueLink
  readonly #clock = new ServerClock()
  readonly #dropping: Dropping
  readonly #lookout: Lookout
  readonly #options: ResolvedConnectOptions
  #closing: Promise<void> | undefined

  constructor(options: ResolvedConnectOptions) {
    this.#options = options
    const { retainLimit, queueLimit } = options
    this.#link = new QueueLink(options, this.#clock, this.#listen(), () => this.#lookout.lookSoon())
    this.#dropping = new Dropping(this.#link.store)
    const drop = (jobId: string, isKnown: boolean): void => this.#dropping.add(jobId, isKnown)
    this.book = new CallBook({ clock: this.#clock, retainLimit, drop })
    this.#lookout = new Lookout({
      calls: () => this.book.underWay(),
      look: (call) => this.#look(call).catch(this.#trouble),
      repeat: (call) => this.#sendCancel(call).then(() => undefined, this.#trouble),
    })
    const { book } = this
    this.handingIn = new HandingIn({
      link: this.#link,
      book,
      dropping: this.#dropping,
      lookout: this.#lookout,
      queueLimit,
    })
  }

  get isOpen(): boolean {
    return this.#link.isOpen
  }

  /** @throws CallError `NODE_UNREACHABLE`, or Error for a Redis that is not fit. */
  async open(): Promise<void> {
    if (this.#closing) throw closed()
    await this.#link.open().catch((error: unknown) => {
      throw refusalOf(error, { started: 'no' })
    })
  }

  /** Ends what is under way here, and nothing in the queue. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /**
   * The call with this ID: under way, or with its end. Whoever finds it lets it go after that.
   *
   * @throws CallError `CALL_UNKNOWN`, `CALL_EXPIRED`, `CALL_LOST` or `NODE_UNREACHABLE`.
   */
  async find(id: string): Promise<QueuedCall> {
    const call = this.book.get(jobIdOf(id)) ?? this.#addOther(id)
    call.holders += 1
    try {
      await call.found
    } catch (error) {
      this.#letGo(call)
      throw error
    }
    return call
  }

  /** Waits until a call has ended or `timeout` is over, looks then whether it has, and lets it go. */
  async untilEnded(call: QueuedCall, timeout: number, signal?: AbortSignal): Promise<void> {
    try {
      if (!call.end && timeout > 0 && !this.#closing) await this.book.waits.add(call, timeout, signal)
      if (!call.end && !this.#closing) await this.#look(call)
    } finally {
      this.#letGo(call)
    }
  }

  /** Asks a call to end, sees to it until it has, and lets it go. */
  async cancel(call: QueuedCall, reason: unknown, grace: number | undefined): Promise<void> {
    try {
      if (call.end) return
      call.cancel = { reason: call.cancel?.reason ?? encodeReason(reason), grace }
      this.#lookout.watch(call)
      const sent = await this.#sendCancel(call)
      if (sent === 'sent') await this.#look(call)
    } finally {
      this.#letGo(call)
    }
  }

  /** Cancels a call that nobody waits with for the answer. */
  abort(call: QueuedCall, reason: unknown, grace?: number): void {
    call.whenAdmitted(() => {
      this.cancel(call, reason, grace).catch(this.#trouble)
    })
  }

  /** Those that have not begun first: otherwise they would begin in the places of those that end. */
  async abortAll(reason: unknown, grace: number | undefined): Promise<void> {
    await this.handingIn.settled()
    const calls = [...this.book.own()]
    const cancel = (call: QueuedCall): Promise<void> => this.cancel(call, reason, grace).catch(this.#trouble)
    await Promise.all(calls.filter(({ startedAt }) => startedAt === undefined).map(cancel))
    await Promise.all(calls.filter(({ startedAt }) => startedAt !== undefined).map(cancel))
  }

  /** A page of the list, and where the next one begins if there is one. Rows that are over leave it shorter. */
  async page(filter: ListRequest): Promise<{ rows: Row[]; cursor: string | undefined }> {
    this.#dropping.flush()
    const { limit } = filter
    const found = await this.#ask(this.#link.store.page({ ...filter, limit: limit + 1 }))
    for (const { jobId } of found) {
      const call = this.book.get(jobId)
      if (call) call.isTold = true
    }
    const now = this.#clock.now()
    const rows = found.slice(0, limit).filter((row) => isKept(row, now))
    return { rows, cursor: found.length > limit ? found[limit - 1]?.seq : undefined }
  }

  async forget(id: string): Promise<void> {
    const jobId = jobIdOf(id)
    const origin = this.#link.ids.origin(id)
    this.#dropping.flush()
    const { store } = this.#link
    const seen = origin === 'none' ? undefined : await this.#ask(store.look(jobId))
    if (!seen || this.#isOver(jobId, seen)) throw missing(id, origin)
    if (seen.state !== 'finished') throw notEnded(seen.fn, id as CallId)
    await this.#ask(store.forget(jobId))
    this.book.forget(jobId)
  }

  /** @param check throws when it is not worth waiting any more. */
  async untilServed(check: () => void): Promise<void> {
    for (let patience = SERVED_SOON; (await this.#ask(this.#link.store.servers())) === 0; patience *= 2) {
      await sleep(Math.min(patience, SERVED_LATE))
      check()
    }
  }

  async #close(): Promise<void> {
    this.#lookout.stop()
    for (const call of this.book.underWay()) {
      call.unsubscribe?.()
      this.book.waits.release(call)
    }
    this.book.clear()
    this.#dropping.flush()
    await this.#link.close()
  }

  #addOther(id: string): QueuedCall {
    if (this.#link.ids.origin(id) === 'none') throw missing(id, 'none')
    const call = new QueuedCall(id as CallId, false)
    // Before the look, so that no event comes between.
    this.book.add(call)
    this.#lookout.watch(call)
    call.found = this.#findOther(call)
    return call
  }

  async #findOther(call: QueuedCall): Promise<void> {
    const { id, jobId } = call
    const seen = await this.#ask(this.#link.store.look(jobId), call)
    if (!seen || this.#isOver(jobId, seen)) throw missing(id, this.#link.ids.origin(id))
    this.#apply(call, seen)
  }

  // What Redis says

  #listen(): QueueListener {
    const about = (jobId: string, act: (call: QueuedCall) => void): void => {
      const call = this.book.get(jobId)
      call?.whenAdmitted(() => act(call))
    }
    return {
      returned: (jobId, returned) => {
        about(jobId, (call) => {
          if (isStoredApart(returned)) this.#lookNow(call)
          else
            this.book.ended(
              call,
              readable(call.fn, () => readReturned(returned)),
            )
        })
        this.#tellOfRoom()
      },
      failed: (jobId) => {
        about(jobId, (call) => this.#lookNow(call))
        this.#tellOfRoom()
      },
      begun: (jobId, startedAt) => about(jobId, (call) => this.book.started(call, startedAt)),
      progressed: (jobId, progress) => about(jobId, (call) => this.book.progressed(call, readProgress(progress))),
      failing: this.#trouble,
    }
  }

  readonly #trouble = (error: unknown): void => {
    this.#options.logger?.warn({ queue: this.#options.queue, err: error }, 'trouble with the queue')
  }

  #lookNow(call: QueuedCall): void {
    this.#look(call).catch(this.#trouble)
  }

  /** Looks at a call's job, once for all who want to know. */
  #look(call: QueuedCall): Promise<void> {
    call.looking ??= this.#lookOnce(call).finally(() => {
      call.looking = undefined
    })
    return call.looking
  }

  async #lookOnce(call: QueuedCall): Promise<void> {
    const seen = await this.#ask(this.#link.store.look(call.jobId), call)
    if (call.end) return
    if (seen) return this.#apply(call, seen)
    const error = lostCall(call.fn, 'it is no longer in the queue: its outcome was dropped, or the queue lost its data')
    this.book.ended(call, { outcome: { ok: false, error }, times: undefined })
  }

  #apply(call: QueuedCall, seen: Seen): void {
    call.fn = seen.fn
    if (!call.isOwn) call.retain = seen.retain
    if (seen.state === 'finished') return this.book.ended(call, seen.end)
    if (seen.state === 'queued') return
    this.book.started(call, seen.startedAt)
    if (seen.progress) call.progress = seen.progress
  }

  /** Whether a finished call cannot be asked for any more. Then it is dropped. */
  #isOver(jobId: string, seen: Seen): boolean {
    if (seen.state !== 'finished' || seen.finishedAt + seen.retain > this.#clock.now()) return false
    this.#dropping.add(jobId, true)
    return true
  }

  async #sendCancel(call: QueuedCall): Promise<string> {
    const { jobId, fn, cancel } = call
    if (!cancel) return 'finished'
    const dropped = droppedCall(fn, cancel.reason)
    const failure = writeFailure(dropped, { endedAt: this.#clock.now() })
    const sending = this.#link.store.cancel(jobId, cancel.reason, cancel.grace, failure, dropped.message)
    const sent = await this.#ask(sending, call)
    if (sent !== 'sent') await this.#look(call)
    return sent
  }

  #tellOfRoom(): void {
    if (!this.handingIn.hasRefused) return
    this.handingIn.isRoomNews().then((isNews) => isNews && this.book.listeners.tell('drain'), this.#trouble)
  }

  /** A call of somebody else's is of interest only while somebody waits for it. */
  #letGo(call: QueuedCall): void {
    if (call.isOwn) return
    call.holders -= 1
    if (call.holders === 0 && !call.cancel) this.book.remove(call)
  }

  async #ask<T>(answer: Promise<T>, call?: QueuedCall): Promise<T> {
    try {
      return await answer
    } catch (error) {
      const refusal = refusalOf(error, { fn: call?.fn, id: call?.id })
      throw this.#closing && refusal instanceof CallError ? closed(call?.fn) : refusal
    }
  }
}
