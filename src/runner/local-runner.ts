import { digestOf, keyReused } from '../caller/idempotency.ts'
import { showCaller } from '../caller/local-stack.ts'
import { readCancel, readClose, readId, readList, readWait } from '../caller/requests.ts'
import type { Executor, ExecutorPorts, JobListener, JobTimes } from '../executors/executor.ts'
import type { RunnerLogger } from '../executors/runner-logger.ts'
import type { CallId } from '../model/call-id.ts'
import type { Clock } from '../model/clock.ts'
import { EMBEDDED, type Embedded } from '../model/embedded.ts'
import { CallError, functionNotFound } from '../model/errors.ts'
import type { RunnerEvents } from '../model/events.ts'
import type { FunctionArgs, FunctionName, FunctionValue } from '../model/functions.ts'
import type { Isolation, ResolvedFunctionOptions, ResolvedOptions } from '../model/options.ts'
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
} from '../model/runner.ts'
import type { CallStatus, Outcome } from '../model/status.ts'
import { decodeLogValue } from '../protocol/log-values.ts'
import { CallTable, type CallFilter } from '../table/call-table.ts'
import type { Call } from '../table/call.ts'
import { Aborts, type AbortRequest } from './aborts.ts'
import { CallEvents } from './call-events.ts'
import { infoOf, statusOf } from './call-answers.ts'
import { guardedLogger } from './guarded-logger.ts'
import { CallQueue } from './call-queue.ts'
import { CallRecords } from './call-records.ts'
import { CallTracing } from './call-tracing.ts'
import { outcomeOf } from './outcomes.ts'
import { Routes, type Route } from './routes.ts'
import { filterOf, readCall, type CallRequest } from './requests.ts'
import { closeOnSignals } from './signals.ts'

export interface LocalRunnerParts {
  options: ResolvedOptions
  clock: Clock
  createExecutor: (isolation: Isolation, ports: ExecutorPorts<Call>) => Executor<Call>
}

const CLOSING = 'the runner is closing'

/** The embedded runner: admits calls, queues them for its executor, ends them, and answers for them. */
export class LocalRunner<F> implements Runner<F> {
  readonly #options: ResolvedOptions
  readonly #clock: Clock
  readonly #logger: RunnerLogger
  readonly #table: CallTable
  readonly #routes: Routes
  readonly #aborts: Aborts
  readonly #events: CallEvents
  readonly #tracing: CallTracing
  readonly #records = new CallRecords()
  /** What to take off the signals of callers when their calls have ended. */
  readonly #unsubscribe = new Map<Call, () => void>()
  readonly #tell = (call: Call): CallId => this.#table.tell(call)
  readonly [EMBEDDED]: Embedded = {
    listAmong: async (options, isListed) =>
      // Nobody can mean a call whose ID was not made yet.
      this.#page({ ...filterOf(readList(options)), isListed: ({ id }) => id !== undefined && isListed(id) }),
    retainOf: (fn) => this.#defaultsOf(fn).retain,
  }
  #isIdle = true
  #closing: Promise<void> | undefined
  #stopListening: (() => void) | undefined
  #whenDrained: (() => void) | undefined

  constructor({ options, clock, createExecutor }: LocalRunnerParts) {
    this.#options = options
    this.#clock = clock
    this.#logger = guardedLogger(options.logger)
    this.#table = new CallTable({
      clock,
      retainLimit: options.retainLimit,
      onExpired: (call) => this.#expired(call),
    })
    const idOf = (call: Call): CallId => this.#table.idOf(call)
    this.#events = new CallEvents(idOf)
    this.#tracing = new CallTracing(idOf)
    const listener = this.#listen()
    this.#routes = new Routes(options, (isolation) => {
      const queue = new CallQueue()
      const executor = createExecutor(isolation, { source: queue, listener, clock, logger: this.#logger })
      return { queue, executor }
    })
    this.#aborts = new Aborts(clock, {
      hasEnded: (call) => {
        void this.#lookAgain(call)
        return call.outcome !== undefined
      },
      drop: (call) => {
        const { queue, executor } = this.#routes.of(call.fn)
        return queue.delete(call) || executor.revoke(call)
      },
      interrupt: (call, cause) => this.#routes.of(call.fn).executor.interrupt(call, cause),
      kill: (call) => {
        void this.#lookAgain(call)
        if (!call.outcome) this.#routes.of(call.fn).executor.kill(call)
      },
    })
    if (options.handleSignals) this.#stopListening = closeOnSignals(() => this.close({ abort: true }))
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
    const request = readCall('start', fn, args, options, this.#defaultsOf(fn))
    const call = this.#existing(request) ?? this.#admit(request)
    await this.#wait(call, request.timeout)
    const looked = this.#lookAgain(call)
    if (looked && request.timeout > 0) await looked
    this.#throwIfRefusedLate(call)
    return this.#answer(call, this.start)
  }

  async wait<T = unknown>(id: CallId | (string & {}), options?: WaitOptions): Promise<CallStatus<T>> {
    const { timeout, signal } = readWait(options)
    signal?.throwIfAborted()
    const call = this.#table.get(readId(id))
    await this.#wait(call, timeout, signal)
    const looked = this.#lookAgain(call)
    if (looked) await looked
    return this.#answer(call, this.wait)
  }

  async call<K extends FunctionName<F>>(
    fn: K,
    args: FunctionArgs<F, K>,
    options?: CallOptions,
  ): Promise<FunctionValue<F, K>> {
    const call = this.#admit(readCall('call', fn, args, options, this.#defaultsOf(fn)))
    await this.#wait(call, Infinity)
    const outcome = call.outcome as Outcome<FunctionValue<F, K>>
    if (outcome.ok) return outcome.value
    const { error } = outcome
    showCaller(error, this.call)
    throw error.code === 'FUNCTION_THREW' ? error.cause : error
  }

  async cancel(id: CallId | (string & {}), options?: CancelOptions): Promise<CallStatus> {
    const { reason, grace } = readCancel(options)
    const call = this.#table.get(readId(id))
    this.#abort(call, { code: 'ABORTED', reason, grace: grace ?? call.grace })
    return this.#answer(call, this.cancel)
  }

  async list(options?: ListOptions): Promise<CallPage> {
    return this.#page(filterOf(readList(options)))
  }

  async forget(id: CallId | (string & {})): Promise<void> {
    const call = this.#table.get(readId(id))
    if (!call.outcome) {
      const message = `call of "${call.fn}" has not ended: cancel it, or wait for it, before it can be forgotten`
      throw new CallError('CALL_RUNNING', message, { fn: call.fn, id: call.id })
    }
    this.#table.forget(call)
  }

  stats(): RunnerStats {
    const states = { queued: 0, running: 0 }
    for (const call of this.#table.underWayCalls()) states[call.state as keyof typeof states] += 1
    return {
      calls: { ...states, finished: this.#table.kept },
      total: { admitted: this.#table.admitted, ...this.#records.total },
      queueLength: this.#routes.queueLength,
      waits: this.#table.waits.size,
      threads: this.#routes.stats('thread'),
      processes: this.#routes.stats('process'),
      queueTime: this.#records.queueTime,
      runTime: this.#records.runTime,
    }
  }

  on<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    this.#events.on(event, listener)
    return this
  }

  once<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    this.#events.once(event, listener)
    return this
  }

  off<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    this.#events.off(event, listener)
    return this
  }

  removeListener<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this {
    return this.off(event, listener)
  }

  async ready(): Promise<void> {
    this.#refuseWhenClosed()
    await Promise.all(Array.from(this.#routes, ({ executor }) => executor.ready()))
  }

  async close(options?: CloseOptions): Promise<void> {
    const { abort, grace } = readClose(options)
    this.#closing ??= this.#shutDown()
    if (abort) {
      const underWay = [...this.#table.underWayCalls()].toSorted((one, other) => one.seq - other.seq)
      for (const call of underWay) {
        this.#abort(call, { code: 'ABORTED', reason: CLOSING, grace: grace ?? call.grace })
      }
    }
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // Into the runner

  #defaultsOf(fn: unknown): ResolvedFunctionOptions {
    const { define, commands, others } = this.#options
    return define.get(fn as string) ?? commands.get(fn as string) ?? others
  }

  /** The call that was started by the same idempotency key before, if it was the same call. */
  #existing(request: CallRequest): Call | undefined {
    const { idempotencyKey, fn, args } = request
    if (idempotencyKey === undefined) return undefined
    const call = this.#table.byKey(idempotencyKey)
    if (call && call.digest !== digestOf(fn, args)) throw keyReused(idempotencyKey, fn)
    return call
  }

  #admit(request: CallRequest): Call {
    const { fn, signal, idempotencyKey } = request
    const route = this.#routes.of(fn)
    this.#refuseWhenClosed(fn)
    this.#refuseUnknown(fn, route)
    if (signal?.aborted) {
      const message = `call of "${fn}" was aborted before it was admitted`
      throw new CallError('ABORTED', message, { fn, started: 'no', step: 'queued', cause: signal.reason })
    }
    this.#refuseWithoutRoom(fn, route)
    const digest = idempotencyKey === undefined ? undefined : digestOf(fn, request.args)

    const call = this.#table.admit(request)
    call.kept = request.keep
    if (idempotencyKey !== undefined && digest !== undefined) this.#table.bindKey(call, idempotencyKey, digest)
    this.#isIdle = false
    route.underWay += 1
    this.#tracing.admit(call, () => {
      route.queue.push(call)
      route.executor.wake()
    })
    if (signal) this.#subscribe(call, signal)
    this.#events.queued(call)
    return call
  }

  #refuseWhenClosed(fn?: string): void {
    if (!this.#closing) return
    throw new CallError('RUNNER_CLOSED', 'the runner is closed: it takes no more calls', { fn })
  }

  #refuseUnknown(fn: string, { executor: { functions } }: Route): void {
    const { commands } = this.#options
    if (!functions || functions.has(fn) || commands.has(fn)) return
    throw functionNotFound(fn, [...functions, ...commands.keys()])
  }

  #refuseWithoutRoom(fn: string, route: Route): void {
    if (this.#routes.hasRoom(route)) return
    route.hasRefused = true
    const message = `${this.#table.underWay} calls are under way, as many as queueLimit (${this.#options.queueLimit}) and the places to run allow: try again after the "drain" event`
    throw new CallError('QUEUE_FULL', message, { fn })
  }

  #subscribe(call: Call, signal: AbortSignal): void {
    const onAbort = (): void => this.#abort(call, { code: 'ABORTED', reason: signal.reason, grace: call.grace })
    signal.addEventListener('abort', onAbort, { once: true })
    this.#unsubscribe.set(call, () => signal.removeEventListener('abort', onAbort))
  }

  // Waits and answers

  #wait(call: Call, timeout: number, signal?: AbortSignal): Promise<void> | undefined {
    return call.outcome || timeout === 0 ? undefined : this.#table.waits.add(call, timeout, signal)
  }

  /** Its end may have arrived already, and not have been heard yet because the event loop came to the timer first. */
  #lookAgain(call: Call): void | Promise<void> {
    return call.outcome ? undefined : this.#routes.of(call.fn).executor.look(call)
  }

  /** @param method that is answering. */
  #answer<T>(call: Call, method: (...args: never[]) => unknown): CallStatus<T> {
    if (call.outcome?.ok === false) showCaller(call.outcome.error, method)
    return statusOf(call, this.#tell) as CallStatus<T>
  }

  /**
   * Some calls turn out only on their thread to be none: the names of the functions are not known before the first
   * thread is ready, and of some values only the platform knows whether they can travel. Nobody has the ID of such a
   * call, so it can still be as if it had never been.
   */
  #throwIfRefusedLate(call: Call): void {
    const { outcome } = call
    if (!outcome || outcome.ok || call.isTold) return
    const { error } = outcome
    if (error.started !== 'no' || (error.code !== 'FUNCTION_NOT_FOUND' && error.code !== 'NOT_CLONEABLE')) return
    this.#table.forget(call)
    throw error
  }

  #page(filter: CallFilter): CallPage {
    const found = this.#table.page({ ...filter, limit: filter.limit + 1 })
    const calls = found.slice(0, filter.limit)
    const sinceUnixEpoch = Date.now() - this.#clock.now()
    const page: CallPage = {
      calls: calls.map((call) => infoOf(call, this.#tell, (time) => Math.round(time + sinceUnixEpoch))),
    }
    const last = calls.at(-1)
    return found.length > calls.length && last ? { ...page, cursor: String(last.seq) } : page
  }

  // Out of the executor

  #listen(): JobListener<Call> {
    const wantsStarted = (): boolean => this.#events.has('started')
    return {
      get wantsStarted() {
        return wantsStarted()
      },
      sent: (call) => this.#aborts.watch(call),
      started: (call) => this.#events.started(call),
      progress: (call, value) => {
        call.progress = value
        this.#events.progress(call)
      },
      log: (call, level, args) => {
        const line = this.#logger.child({ callId: this.#table.idOf(call), fn: call.fn })
        line[level](...args.map(decodeLogValue))
      },
      ended: (call, end, times) =>
        this.#end(call, outcomeOf(call, end, times ?? { endedAt: this.#clock.now() }, this.#aborts), times),
    }
  }

  #abort(call: Call, request: AbortRequest): void {
    const error = this.#aborts.abort(call, request)
    if (error) this.#end(call, { ok: false, error })
  }

  #end(call: Call, outcome: Outcome, times?: JobTimes): void {
    call.cpid = call.place?.cpid ?? times?.cpid ?? 0
    if (!this.#table.end(call, outcome, times?.startedAt, times?.endedAt ?? this.#clock.now())) return
    this.#routes.of(call.fn).underWay -= 1
    this.#aborts.ended(call)
    if (this.#unsubscribe.size > 0) {
      this.#unsubscribe.get(call)?.()
      this.#unsubscribe.delete(call)
    }
    this.#records.ended(call, outcome)
    if (!outcome.ok) this.#report(call, outcome.error)
    this.#tracing.finished(call, outcome)
    this.#events.finished(call, outcome)
    this.#table.settle(call)
    this.#tellOfRoom()
    if (this.#table.underWay > 0 || this.#isIdle) return
    this.#isIdle = true
    this.#events.idle()
    this.#whenDrained?.()
  }

  #tellOfRoom(): void {
    let isNews = false
    for (const route of this.#routes) {
      if (!route.hasRefused || !this.#routes.hasRoom(route)) continue
      route.hasRefused = false
      isNews = true
    }
    if (isNews) this.#events.drain()
  }

  #report(call: Call, error: CallError): void {
    const isLogged = this.#logger.isLevelEnabled('warn')
    const id = isLogged ? this.#table.idOf(call) : call.id
    if (id !== undefined) error.id = id
    if (isLogged) this.#logger.warn({ callId: id, fn: call.fn, code: error.code, err: error }, 'call failed')
  }

  #expired(call: Call): void {
    this.#records.total.expired += 1
    this.#events.expired(call)
  }

  async #shutDown(): Promise<void> {
    this.#logger.debug({ underWay: this.#table.underWay }, 'runner closing')
    if (this.#table.underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#whenDrained = resolve
      })
    }
    await Promise.all(Array.from(this.#routes, ({ executor }) => executor.close()))
    this.#stopListening?.()
    this.#logger.debug('runner closed')
  }
}
