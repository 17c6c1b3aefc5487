import type { CallId } from '../../model/call-id.ts'
import type { Clock } from '../../model/clock.ts'
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
import { Calls, closed, type PreparedCall } from './calls.ts'
import type { Client } from './client.ts'
import type { EventFeed } from './event-feed.ts'
import type { Line } from './line.ts'
import { checkId, Resources } from './resources.ts'
import type { Transport } from './transport.ts'

export interface RemoteRunnerParts {
  transport: Transport
  line: Line
  feed: EventFeed
  clock: Clock
  /** Milliseconds beyond a wait in which the node has to answer. */
  margin: number
}

const NO_TIMES = { count: 0, p50: 0, p99: 0, max: 0 }

/** The runner that a node is to its clients. */
export class RemoteRunner<F> implements Client<F> {
  readonly #transport: Transport
  readonly #feed: EventFeed
  readonly #resources: Resources
  readonly #calls: Calls
  #closing: Promise<void> | undefined

  constructor({ transport, line, feed, clock, margin }: RemoteRunnerParts) {
    this.#transport = transport
    this.#feed = feed
    this.#resources = new Resources(line)
    this.#calls = new Calls({ line, feed, resources: this.#resources, clock, margin })
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
    const status = await this.#calls.start(readCall('start', fn, args, options))
    return shown(status, this.start) as CallStatus<FunctionValue<F, K>>
  }

  async wait<T = unknown>(id: CallId | (string & {}), options?: WaitOptions): Promise<CallStatus<T>> {
    const { timeout, signal } = readWait(options)
    signal?.throwIfAborted()
    return shown(await this.#calls.wait(checkId(readId(id)), timeout, signal), this.wait) as CallStatus<T>
  }

  async call<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: CallOptions,
  ): Promise<FunctionValue<F, K>> {
    const status = await this.#calls.start(readCall('call', fn, args, options))
    const outcome = shown(status, this.call) as Outcome<FunctionValue<F, K>>
    if (outcome.ok) return outcome.value
    const { error } = outcome
    throw error.code === 'FUNCTION_THREW' ? error.cause : error
  }

  async cancel(id: CallId | (string & {}), options?: CancelOptions): Promise<CallStatus> {
    const request = readCancel(options)
    return shown(await this.#calls.cancel(checkId(readId(id)), request), this.cancel)
  }

  async list(options?: ListOptions): Promise<CallPage> {
    return this.#calls.list(readList(options))
  }

  async forget(id: CallId | (string & {})): Promise<void> {
    await this.#calls.forget(checkId(readId(id)))
  }

  stats(): RunnerStats {
    return {
      ...this.#calls.counts(),
      threads: { size: 0, busy: 0 },
      processes: { size: 0, busy: 0 },
      queueTime: { ...NO_TIMES },
      runTime: { ...NO_TIMES },
    }
  }

  nodeStats(): Promise<RunnerStats> {
    return this.#resources.stats()
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
    if (this.#calls.isClosed) throw closed()
    await this.#resources.ready()
  }

  async close(options?: CloseOptions): Promise<void> {
    const { abort, grace } = readClose(options)
    this.#closing ??= this.#shutDown()
    if (abort) void this.#calls.abortAll({ reason: 'the client is closing', grace })
    return this.#closing
  }

  async disconnect(): Promise<void> {
    this.#calls.isClosed = true
    this.#closing ??= Promise.resolve()
    await this.#end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A call for whoever asks for it in turns: whatever becomes of one of them, it runs once. */
  prepare(request: CallRequest): PreparedCall {
    return this.#calls.prepare(request)
  }

  /** Resolves when the node has let go of the calls whose outcomes were handed out, or does not answer. */
  untilForgotten(): Promise<void> {
    return this.#calls.untilForgotten()
  }

  async #shutDown(): Promise<void> {
    this.#calls.isClosed = true
    await this.#calls.untilEnded()
    await this.#end()
  }

  async #end(): Promise<void> {
    this.#feed.close()
    await this.#transport.close(closed)
  }
}

/** @param method that is answering. */
function shown(status: CallStatus, method: (...args: never[]) => unknown): CallStatus {
  if (status.finished && !status.ok) showCaller(status.error, method)
  return status
}
