import type { Executor, ExecutorPorts, ExecutorStats, JobEnd, Place } from '../../src/executors/executor.ts'
import type { Clock } from '../../src/model/clock.ts'
import { CallError } from '../../src/model/errors.ts'
import { encodeError } from '../../src/protocol/encoded-error.ts'
import type { AbortCause } from '../../src/protocol/messages.ts'
import { Call, type CallFacts } from '../../src/table/call.ts'

/** A call as the table makes one, with what a test does not care for filled in. */
export function newCall({ seq = 1, admittedAt = 0, ...facts }: CallParts = {}): Call {
  const defaults = {
    fn: 'work',
    args: [],
    transfer: undefined,
    priority: 0,
    abortAfter: Infinity,
    grace: 1_000,
    retain: 60_000,
  }
  return new Call({ ...defaults, ...facts }, seq, admittedAt)
}

export type CallParts = Partial<CallFacts> & { seq?: number; admittedAt?: number }

export interface FakeExecutorOptions {
  capacity?: number
  functions?: string[]
}

/** Does nothing by itself: a test takes calls from the queue, begins them and ends them. */
export class FakeExecutor implements Executor<Call> {
  readonly capacity: number
  readonly functions: ReadonlySet<string> | undefined
  /** Calls that were sent and have not ended, in the order of sending. */
  readonly sent = new Set<Call>()
  /** What was asked of it, in order. */
  readonly interrupted: { call: Call; cause: AbortCause; at: number }[] = []
  readonly killed: { call: Call; at: number }[] = []
  woken = 0
  closed = 0
  /** Called when it is asked to interrupt or to kill a call: a test ends the call there, or lets it run on. */
  onInterrupt: (call: Call) => void = () => undefined
  onKill: (call: Call) => void = () => undefined
  /** Called when it is asked to look for what has arrived about a call and was not heard yet. */
  onLook: (call: Call) => void = () => undefined
  readonly #ports: ExecutorPorts<Call>

  constructor(ports: ExecutorPorts<Call>, { capacity = 4, functions }: FakeExecutorOptions = {}) {
    this.#ports = ports
    this.capacity = capacity
    this.functions = functions && new Set(functions)
  }

  // By the test

  /** Takes the first call of the queue. */
  send(): Call | undefined {
    const { source, listener, clock } = this.#ports
    const call = source.take()
    if (!call) return undefined
    call.place = new FakePlace(clock)
    this.sent.add(call)
    listener.sent(call)
    return call
  }

  begin(call: Call): void {
    this.#placeOf(call).begin()
    if (this.#ports.listener.wantsStarted) this.#ports.listener.started(call)
  }

  /** Takes the first call of the queue, and begins it. */
  sendAndBegin(): Call {
    const call = this.send()
    if (!call) throw new Error('the queue is empty')
    this.begin(call)
    return call
  }

  report(call: Call, progress: unknown): void {
    this.#ports.listener.progress(call, progress)
  }

  return(call: Call, value?: unknown): void {
    this.#end(call, { type: 'returned', value })
  }

  throw(call: Call, thrown: unknown): void {
    this.#end(call, { type: 'threw', error: encodeError(thrown) })
  }

  /** The thread of the call is gone, and nobody had asked for that. */
  crash(call: Call): void {
    const started = call.place?.startedAt === undefined ? 'no' : 'yes'
    this.fail(call, new CallError('WORKER_CRASHED', 'the thread ended', { fn: call.fn, started }))
  }

  fail(call: Call, error: CallError): void {
    this.#end(call, { type: 'failed', error })
  }

  /** The call's thread has ended after `kill`. */
  reap(call: Call): void {
    this.#end(call, { type: 'killed' })
  }

  /** The thread of a call that has not begun is gone. */
  putBack(call: Call): void {
    if (this.#placeOf(call).startedAt !== undefined) throw new Error('the call has begun')
    this.#leave(call)
    this.#ports.source.putBack(call)
  }

  // By the runner

  wake(): void {
    this.woken += 1
  }

  look(call: Call): void {
    this.onLook(call)
  }

  revoke(call: Call): boolean {
    if (!this.sent.has(call) || call.place?.startedAt !== undefined) return false
    this.#leave(call)
    return true
  }

  interrupt(call: Call, cause: AbortCause): void {
    this.interrupted.push({ call, cause, at: this.#ports.clock.now() })
    this.onInterrupt(call)
  }

  kill(call: Call): void {
    this.killed.push({ call, at: this.#ports.clock.now() })
    this.onKill(call)
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  stats(): ExecutorStats {
    return { size: this.capacity, busy: this.sent.size }
  }

  close(): Promise<void> {
    this.closed += 1
    return Promise.resolve()
  }

  #end(call: Call, end: JobEnd): void {
    const { cpid, startedAt } = this.#placeOf(call)
    this.#leave(call)
    const { listener, clock } = this.#ports
    listener.ended(call, end, startedAt === undefined ? undefined : { cpid, startedAt, endedAt: clock.now() })
  }

  #placeOf(call: Call): FakePlace {
    if (!this.sent.has(call) || !(call.place instanceof FakePlace)) throw new Error('the call is not here')
    return call.place
  }

  #leave(call: Call): void {
    this.sent.delete(call)
    call.place = undefined
  }
}

class FakePlace implements Place {
  readonly cpid = 7
  startedAt: number | undefined
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(): void {
    if (this.startedAt !== undefined) throw new Error('the call has begun before')
    this.startedAt = this.#clock.now()
  }
}
