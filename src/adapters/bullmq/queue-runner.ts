import { digestOf } from '../../caller/idempotency.ts'
import { showCaller } from '../../caller/local-stack.ts'
import {
  checkBuffers,
  readCallOptions,
  readCancel,
  readClose,
  readFunction,
  readId,
  readList,
  readWait,
  type CallSettings,
} from '../../caller/requests.ts'
import type { CallId } from '../../model/call-id.ts'
import { CallError } from '../../model/errors.ts'
import type { RunnerEvents } from '../../model/events.ts'
import type { FunctionArgs, FunctionName, FunctionValue } from '../../model/functions.ts'
import { DEFAULT_TIMEOUT } from '../../model/options.ts'
import type {
  CallOptions,
  CallPage,
  CancelOptions,
  CloseOptions,
  ListOptions,
  Runner,
  RunnerStats,
  StartOptions,
  WaitOptions,
} from '../../model/runner.ts'
import type { CallStatus, Outcome } from '../../model/status.ts'
import { findUncloneable } from '../../protocol/cloneable.ts'
import type { HandIn } from './handing-in.ts'
import { writeJobData, type JobData } from './job-data.ts'
import type { ResolvedConnectOptions } from './options.ts'
import { QueueClient } from './queue-client.ts'
import type { QueuedCall } from './queued-call.ts'
import { abortedBefore, closed } from './refusals.ts'
import { infoOf } from './rows.ts'

/** A runner whose calls run on the machines that serve a queue. */
export interface QueueRunner<F> extends Runner<F> {
  /**
   * Ends this client and leaves its calls to the queue: waits under way are answered with what is known, and any other
   * client can wait on by their IDs.
   */
  disconnect(): Promise<void>
}

const CLOSING = 'the runner is closing'

export class ConnectedRunner<F> implements QueueRunner<F> {
  readonly #options: ResolvedConnectOptions
  readonly #client: QueueClient
  #closing: Promise<void> | undefined

  /** @param options of `connectQueue`. */
  constructor(options: ResolvedConnectOptions) {
    this.#options = options
    this.#client = new QueueClient(options)
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
    const asked = this.#read('start', fn, args, options)
    const { timeout } = asked
    const handed = await this.#admit(asked)
    if (timeout === 0 && typeof handed !== 'string') return handed.ticket()
    const call = typeof handed === 'string' ? await this.#findKeyed(handed, asked) : handed
    await this.#client.untilEnded(call, timeout)
    this.#throwIfRefusedLate(call)
    return this.#answer(call.status(), this.start)
  }

  async wait<T = unknown>(id: CallId | (string & {}), options?: WaitOptions): Promise<CallStatus<T>> {
    const { timeout, signal } = readWait(options)
    signal?.throwIfAborted()
    const call = await this.#find(readId(id))
    await this.#client.untilEnded(call, timeout, signal)
    return this.#answer(call.status(), this.wait)
  }

  async call<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: CallOptions,
  ): Promise<FunctionValue<F, K>> {
    const call = await this.#admit(this.#read('call', fn, args, options))
    // Only those with a key can be there before.
    if (typeof call === 'string') throw closed(fn)
    await this.#client.untilEnded(call, Infinity)
    if (!call.end) throw closed(fn)
    this.#throwIfRefusedLate(call)
    const outcome = call.end.outcome as Outcome<FunctionValue<F, K>>
    if (outcome.ok) return outcome.value
    const { error } = outcome
    showCaller(error, this.call)
    throw error.code === 'FUNCTION_THREW' ? error.cause : error
  }

  async cancel(id: CallId | (string & {}), options?: CancelOptions): Promise<CallStatus> {
    const { reason, grace } = readCancel(options)
    const call = await this.#find(readId(id))
    await this.#client.cancel(call, reason, grace)
    return this.#answer(call.status(), this.cancel)
  }

  async list(options?: ListOptions): Promise<CallPage> {
    const filter = readList(options)
    await this.#open()
    const { rows, cursor } = await this.#client.page(filter)
    const calls = rows.map(infoOf)
    return cursor === undefined ? { calls } : { calls, cursor }
  }

  async forget(id: CallId | (string & {})): Promise<void> {
    const callId = readId(id)
    await this.#open()
    await this.#client.forget(callId)
  }

  /** Of the calls that this client started. */
  stats(): RunnerStats {
    return this.#client.book.stats()
  }

  on<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    this.#client.book.listeners.on(event, listener)
    return this
  }

  once<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    this.#client.book.listeners.once(event, listener)
    return this
  }

  off<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    this.#client.book.listeners.off(event, listener)
    return this
  }

  removeListener<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    return this.off(event, listener)
  }

  /** Resolves when a machine serves the queue. */
  async ready(): Promise<void> {
    if (this.#closing) throw closed()
    await this.#open()
    await this.#client.untilServed(() => {
      if (this.#closing) throw closed()
    })
  }

  /** Waits for the calls that this client started; those of others go on. */
  async close(options?: CloseOptions): Promise<void> {
    const { abort, grace } = readClose(options)
    this.#closing ??= this.#shutDown()
    if (abort) void this.#client.abortAll(CLOSING, grace)
    return this.#closing
  }

  async disconnect(): Promise<void> {
    this.#closing ??= this.#client.close()
    await this.#client.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // Into the queue

  #read(method: 'start' | 'call', fn: unknown, args: unknown, given: CallOptions | undefined): HandIn {
    const called = readFunction(fn, args)
    const own = this.#options.define.get(called.fn) ?? this.#options.others
    const settings: CallSettings = {
      ...own,
      timeout: method === 'call' ? Infinity : DEFAULT_TIMEOUT,
      transfer: undefined,
      signal: undefined,
      keep: false,
      idempotencyKey: undefined,
    }
    if (given !== undefined) readCallOptions(method, given, settings)
    if (settings.transfer) checkBuffers(settings.transfer, 'on other machines')
    const uncloneable = findUncloneable(called.args, 'args', [], 'processes')
    if (uncloneable) {
      const { path, what } = uncloneable
      throw new CallError('NOT_CLONEABLE', `${path} is ${what}, which cannot travel between machines`, {
        fn: called.fn,
      })
    }
    const { timeout = Infinity, abortAfter, grace, retain = own.retain, priority = own.priority } = settings
    const { signal, keep, idempotencyKey } = settings
    const limits = { ...(abortAfter !== undefined && { abortAfter }), ...(grace !== undefined && { grace }) }
    // Now: what the caller does with the arguments afterwards is no matter of the call.
    const data = this.#write(called.fn, writeJobData(called.args, limits, own.starts))
    const key =
      idempotencyKey === undefined ? undefined : { name: idempotencyKey, digest: digestOf(called.fn, called.args) }
    return { fn: called.fn, data, timeout, retain, priority, signal, keep, key }
  }

  #write(fn: string, data: JobData): string {
    const { valueLimit } = this.#options
    const text = JSON.stringify(data)
    const size = Buffer.byteLength(text)
    if (size <= valueLimit) return text
    throw new RangeError(
      `args of "${fn}" have ${size} bytes as they travel, more than valueLimit (${valueLimit}): hand in less, or where it is to be found`,
    )
  }

  /** Gives the ID of the call that is there already by its key. */
  async #admit(asked: HandIn): Promise<QueuedCall | CallId> {
    this.#refuse(asked)
    if (!this.#client.isOpen) {
      await this.#client.open()
      this.#refuse(asked)
    }
    const handed = await this.#client.handingIn.handIn(asked)
    const { signal } = asked
    if (signal && typeof handed !== 'string' && !handed.end) this.#subscribe(handed, signal)
    return handed
  }

  /** The call that is there by its key; or a new one, if nobody can ask for that one any more. */
  async #findKeyed(id: CallId, asked: HandIn): Promise<QueuedCall> {
    try {
      return await this.#client.find(id)
    } catch (error) {
      if (!(error instanceof CallError) || error.code !== 'CALL_EXPIRED') throw error
      const handed = await this.#admit(asked)
      return typeof handed === 'string' ? this.#client.find(handed) : handed
    }
  }

  #refuse({ fn, signal }: HandIn): void {
    if (this.#closing) throw closed(fn)
    if (signal?.aborted) throw abortedBefore(fn, signal.reason)
  }

  async #open(): Promise<void> {
    if (this.#client.isOpen) return
    await this.#client.open()
  }

  async #find(id: string): Promise<QueuedCall> {
    await this.#open()
    return this.#client.find(id)
  }

  #subscribe(call: QueuedCall, signal: AbortSignal): void {
    const onAbort = (): void => this.#client.abort(call, signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    call.unsubscribe = () => signal.removeEventListener('abort', onAbort)
  }

  // Answers

  #answer<T>(status: CallStatus, method: (...args: never[]) => unknown): CallStatus<T> {
    if (status.finished && !status.ok) showCaller(status.error, method)
    return status as CallStatus<T>
  }

  /** Which functions there are, only the machines know. A call of which nobody has the ID can be as if it had never been. */
  #throwIfRefusedLate(call: QueuedCall): void {
    const outcome = call.end?.outcome
    if (!outcome || outcome.ok || call.isTold || !call.isOwn) return
    const { error } = outcome
    if (error.started !== 'no' || (error.code !== 'FUNCTION_NOT_FOUND' && error.code !== 'NOT_CLONEABLE')) return
    this.#client.book.refusedLate()
    throw error
  }

  async #shutDown(): Promise<void> {
    await this.#client.book.untilIdle()
    await this.#client.close()
  }
}
