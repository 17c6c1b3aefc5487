import type { CallId } from '../../model/call-id.ts'
import type { Clock } from '../../model/clock.ts'
import { CallError } from '../../model/errors.ts'
import type { RunnerEvents } from '../../model/events.ts'
import type { FunctionArgs, FunctionName, FunctionValue } from '../../model/functions.ts'
import { showCaller } from '../../caller/local-stack.ts'
import { readCancel, readClose, readId, readList, readWait } from '../../caller/requests.ts'
import type {
  CallOptions,
  CallPage,
  CancelOptions,
  CloseOptions,
  ListOptions,
  RunnerStats,
  StartOptions,
  WaitOptions,
} from '../../model/runner.ts'
import type { CallStatus, Outcome } from '../../model/status.ts'
import { readCall, type CallRequest } from './call-request.ts'
import type { Client } from './client.ts'
import type { EventFeed } from './event-feed.ts'
import type { Line } from './line.ts'
import { Looks } from './looks.ts'
import { OwnCalls } from './own-calls.ts'
import { checkId, Resources } from './resources.ts'
import { Starting } from './starting.ts'
import { ToldIds } from './told-ids.ts'
import type { Transport } from './transport.ts'

export interface RemoteRunnerParts {
  transport: Transport
  line: Line
  feed: EventFeed
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

/** Calls that are asked for at once while the client closes. */
const AT_ONCE = 50

const NO_TIMES = { count: 0, p50: 0, p99: 0, max: 0 }

/** The runner that a node is to its clients. */
export class RemoteRunner<F> implements Client<F> {
  readonly #transport: Transport
  readonly #line: Line
  readonly #feed: EventFeed
  readonly #clock: Clock
  readonly #margin: number
  readonly #resources: Resources
  readonly #looks: Looks
  readonly #own = new OwnCalls()
  readonly #told = new ToldIds()
  readonly #starting = new Map<Starting, Promise<unknown>>()
  readonly #forgetting = new Set<Promise<void>>()
  #waits = 0
  #closing: Promise<void> | undefined

  constructor({ transport, line, feed, clock, margin }: RemoteRunnerParts) {
    this.#transport = transport
    this.#line = line
    this.#feed = feed
    this.#clock = clock
    this.#margin = margin
    this.#resources = new Resources(line, transport)
    this.#looks = new Looks(line, clock, (id, status) => this.#own.heard(id, status))
    feed.onId = (id) => this.#told.tell(id)
    feed.onExpired = (id) => this.#own.expired(id)
  }

  start<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options: StartOptions & { timeout: 0 },
  ): Promise<CallStatus<FunctionValue<F, K>> & { id: CallId }>
  start<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: StartOptions,
  ): Promise<CallStatus<FunctionValue<F, K>>>
  async start<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: StartOptions,
  ): Promise<CallStatus<FunctionValue<F, K>>> {
    const status = await this.#start(readCall('start', fn, args, options))
    return shown(status, this.start) as CallStatus<FunctionValue<F, K>>
  }

  async wait<T = unknown>(id: CallId | (string & {}), options?: WaitOptions): Promise<CallStatus<T>> {
    const { timeout, signal } = readWait(options)
    signal?.throwIfAborted()
    const callId = this.#readId(id)
    const status = await this.#counted(timeout, () => this.#about(callId, this.#looks.wait(callId, timeout, signal)))
    return shown(status, this.wait) as CallStatus<T>
  }

  async call<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: CallOptions,
  ): Promise<FunctionValue<F, K>> {
    const status = await this.#start(readCall('call', fn, args, options))
    const outcome = shown(status, this.call) as Outcome<FunctionValue<F, K>>
    if (outcome.ok) return outcome.value
    const { error } = outcome
    throw error.code === 'FUNCTION_THREW' ? error.cause : error
  }

  async cancel(id: CallId | (string & {}), options?: CancelOptions): Promise<CallStatus> {
    const request = readCancel(options)
    return shown(await this.#cancel(this.#readId(id), request), this.cancel)
  }

  async list(options?: ListOptions): Promise<CallPage> {
    const request = readList(options)
    // What nobody was given the ID of is not to be seen any more.
    await Promise.all(this.#forgetting)
    const page = await this.#resources.list(request)
    for (const { id } of page.calls) this.#told.tell(id)
    return page
  }

  async forget(id: CallId | (string & {})): Promise<void> {
    const callId = this.#readId(id)
    await this.#about(callId, this.#resources.forget(callId))
    this.#own.gone(callId)
  }

  stats(): RunnerStats {
    return {
      ...this.#own.counts(),
      waits: this.#waits,
      threads: { size: 0, busy: 0 },
      processes: { size: 0, busy: 0 },
      queueTime: { ...NO_TIMES },
      runTime: { ...NO_TIMES },
    }
  }

  on<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    this.#feed.on(event, listener)
    return this
  }

  once<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    this.#feed.once(event, listener)
    return this
  }

  off<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    this.#feed.off(event, listener)
    return this
  }

  removeListener<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    return this.off(event, listener)
  }

  async ready(): Promise<void> {
    this.#refuseWhenClosed()
    await this.#resources.ready()
  }

  async close(options?: CloseOptions): Promise<void> {
    const { abort, grace } = readClose(options)
    this.#closing ??= this.#shutDown()
    if (abort) void this.#abortAll({ reason: 'the client is closing', grace })
    return this.#closing
  }

  async disconnect(): Promise<void> {
    this.#closing ??= Promise.resolve()
    await this.#end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
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
        if (id === undefined) return this.#start({ ...request, timeout: wait }, starting, stop)
        const status = await this.#counted(wait, () => this.#about(id, this.#looks.wait(id, wait, stop)))
        return this.#handOver(status, request)
      },
    }
  }

  // Calls

  async #start(
    request: CallRequest,
    starting = new Starting(this.#line, this.#margin, request),
    stop?: AbortSignal,
  ): Promise<CallStatus> {
    const { fn, signal } = request
    this.#refuseWhenClosed(fn)
    if (signal?.aborted && !starting.isAsked) {
      const message = `call of "${fn}" was aborted before it was sent`
      throw new CallError('ABORTED', message, { fn, started: 'no', step: 'queued', cause: signal.reason })
    }
    const over = signal && this.#subscribe(starting, signal)
    const answer = this.#counted(request.timeout, () => this.#untilAnswered(starting, request, over, stop))
    const settled = answer.catch(() => {
      // Otherwise it is over when the call ends.
      if (starting.id === undefined) over?.()
    })
    this.#starting.set(starting, settled)
    this.#told.starting()
    try {
      return this.#handOver(await answer, request)
    } finally {
      this.#told.settled()
      this.#starting.delete(starting)
    }
  }

  /** Starts the call, and waits for it as long as was asked for. */
  async #untilAnswered(
    starting: Starting,
    request: CallRequest,
    over?: () => void,
    stop?: AbortSignal,
  ): Promise<CallStatus> {
    // Subscribe before starting: the call may end first.
    await this.#feed.opened()
    const until = this.#clock.now() + request.timeout
    const status = await starting.ask(request.timeout, stop)
    for (const buffer of request.transfer) if (!buffer.detached) structuredClone(null, { transfer: [buffer] })
    this.#own.started(starting.fn, status, over)
    const left = until - this.#clock.now()
    if (status.finished || left <= 0) return status
    return this.#about(status.id, this.#looks.wait(status.id, left, stop))
  }

  /** The node keeps every call, as its answer could have got lost. This one has arrived. */
  #handOver(status: CallStatus, { keep }: CallRequest): CallStatus {
    if (!status.finished || status.id === undefined || keep || this.#told.has(status.id)) return status
    const { id, ...outcome } = status
    this.#own.gone(id)
    // If this does not arrive, the call expires by itself.
    const forgotten = this.#resources.forget(id).catch(() => undefined)
    this.#forgetting.add(forgotten)
    void forgotten.then(() => this.#forgetting.delete(forgotten))
    return outcome
  }

  #subscribe(starting: Starting, signal: AbortSignal): () => void {
    const onAbort = (): void => void this.#cancelStarted(starting, { reason: signal.reason, grace: undefined })
    signal.addEventListener('abort', onAbort, { once: true })
    return () => signal.removeEventListener('abort', onAbort)
  }

  /** Cancels a call whose ID may not be known here yet: its key stands for it. */
  async #cancelStarted(starting: Starting, request: ReturnType<typeof readCancel>): Promise<void> {
    try {
      const id = starting.id ?? (await starting.ask(0)).id
      if (id !== undefined) await this.#cancel(id, request)
    } catch {
      // Whoever started it, or waits for it, is told the same.
    }
  }

  async #cancel(id: CallId, request: ReturnType<typeof readCancel>): Promise<CallStatus> {
    const status = await this.#about(id, this.#resources.cancel(id, request))
    this.#looks.heard(id, status)
    return status
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

  #readId(id: unknown): CallId {
    const callId = checkId(readId(id))
    this.#told.tell(callId)
    return callId
  }

  // The end

  #refuseWhenClosed(fn?: string): void {
    if (this.#closing) throw closed(fn)
  }

  /** Those that have not begun first: otherwise they would begin in the places of those that end. */
  async #abortAll(request: ReturnType<typeof readCancel>): Promise<void> {
    await Promise.all(Array.from(this.#starting.keys(), (starting) => this.#cancelStarted(starting, request)))
    await eachOf(this.#own.underWay, (id) => this.#cancel(id, request))
  }

  async #shutDown(): Promise<void> {
    await Promise.all(this.#starting.values())
    const wait = async (id: CallId): Promise<void> => {
      await this.#looks.wait(id, Infinity).catch(() => this.#own.gone(id))
    }
    while (this.#own.underWay.length > 0) await eachOf(this.#own.underWay, wait)
    await Promise.all(this.#forgetting)
    await this.#end()
  }

  async #end(): Promise<void> {
    this.#feed.close()
    await this.#transport.close(closed)
  }
}

function closed(fn?: string): CallError {
  return new CallError('RUNNER_CLOSED', 'the client is closed: connect again', { fn })
}

/** Some at a time. What goes wrong with one is no matter for the others. */
async function eachOf(ids: readonly CallId[], run: (id: CallId) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    await Promise.allSettled(ids.slice(i, i + AT_ONCE).map(run))
  }
}

/** @param method that is answering. */
function shown(status: CallStatus, method: (...args: never[]) => unknown): CallStatus {
  if (status.finished && !status.ok) showCaller(status.error, method)
  return status
}
