import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CallIds, type CallId } from '../../src/model/call-id.ts'
import type { Clock } from '../../src/model/clock.ts'
import { CallError } from '../../src/model/errors.ts'
import type { AnyFunctions } from '../../src/model/functions.ts'
import { resolveOptions } from '../../src/model/options.ts'
import type { CallStatus } from '../../src/model/status.ts'
import { LocalRunner } from '../../src/runner/local-runner.ts'
import type { Call } from '../../src/table/call.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { FakeExecutor } from '../helpers/fake-executor.ts'

const CAPACITY = 3
const QUEUE_LIMIT = 5

/** For promises that a broken runner never settles. */
const LIMIT = { timeout: 30_000 }

function createRunner(clock: Clock, retainLimit = 100): { runner: LocalRunner<AnyFunctions>; executor: FakeExecutor } {
  let executor: FakeExecutor | undefined
  const runner = new LocalRunner<AnyFunctions>({
    options: resolveOptions({ functions: new URL(import.meta.url), queueLimit: QUEUE_LIMIT, retainLimit }),
    clock,
    createExecutor: (_, ports) => (executor = new FakeExecutor(ports, { capacity: CAPACITY })),
  })
  return { runner, executor: executor as FakeExecutor }
}

// What a runner should do, as plainly as it can be said.

interface World {
  retainLimit: number
  /** A killed call ends at once, as opposed to some steps later. */
  endsWhenKilled: boolean
  /** Somebody reads the ID of every call that is queued. */
  readsIds: boolean
  closes: 'patiently' | 'with abort'
}

interface Facts {
  priority: number
  abortAfter: number
  grace: number
  retain: number | undefined
  key: string | undefined
  arg: number
}

type Ending = { ok: true; value: unknown } | { ok: false; code: string; step?: string | undefined }

interface ModelCall extends Facts {
  /** Every call has a function name of its own, to tell it by. */
  fn: string
  admittedAt: number
  state: 'queued' | 'sent' | 'running' | 'finished'
  /** Somebody may come back for it. */
  kept: boolean
  progress: number | undefined
  deadline: number
  abortedFor: 'ABORTED' | 'DEADLINE_EXCEEDED' | undefined
  killAt: number
  isKilled: boolean
  ending: Ending | undefined
  expiresAt: number
}

/** What a caller is told. `canAsk`: with an ID. */
type Answer = { state: string; progress: number | undefined; canAsk: true } | (Ending & { canAsk: boolean })

interface ModelWait {
  call: ModelCall
  until: number
  answer: Answer | undefined
  answeredAt: number
}

class Model {
  now: number
  readonly calls: ModelCall[] = []
  /** Finished calls that can be asked for, in the order in which they ended. */
  kept: ModelCall[] = []
  open: ModelWait[] = []
  readonly events: string[] = []
  readonly orders: string[] = []
  readonly total = { admitted: 0, succeeded: 0, failed: 0, expired: 0 }
  /** Waits that were answered and whose callers have not heard of it yet. */
  #fresh: ModelWait[] = []
  #refusedForRoom = false
  readonly #world: World

  constructor(world: World, now: number) {
    this.#world = world
    this.now = now
  }

  get underWay(): ModelCall[] {
    return this.calls.filter(({ ending }) => !ending)
  }

  in(state: ModelCall['state']): ModelCall[] {
    return this.calls.filter((call) => call.state === state)
  }

  canBeAskedFor(call: ModelCall): boolean {
    return !call.ending || this.kept.includes(call)
  }

  refuses(): boolean {
    const isFull = this.underWay.length >= CAPACITY + QUEUE_LIMIT
    this.#refusedForRoom ||= isFull
    return isFull
  }

  admit(fn: string, facts: Facts): ModelCall {
    const call: ModelCall = {
      ...facts,
      fn,
      admittedAt: this.now,
      state: 'queued',
      kept: facts.retain !== undefined || facts.key !== undefined,
      progress: undefined,
      deadline: Infinity,
      abortedFor: undefined,
      killAt: Infinity,
      isKilled: false,
      ending: undefined,
      expiresAt: Infinity,
    }
    this.calls.push(call)
    this.total.admitted += 1
    this.events.push(`queued ${fn}`)
    return call
  }

  wait(call: ModelCall, timeout: number): ModelWait {
    const wait: ModelWait = { call, until: this.now + timeout, answer: undefined, answeredAt: 0 }
    if (call.ending || timeout === 0) this.#answer(wait)
    else this.open.push(wait)
    return wait
  }

  begin(call: ModelCall): void {
    call.state = 'running'
    call.deadline = this.now + call.abortAfter
    this.events.push(`started ${call.fn}`)
  }

  abort(call: ModelCall, code: 'ABORTED' | 'DEADLINE_EXCEEDED', grace: number): void {
    if (call.ending) return
    if (call.state !== 'running') return this.end(call, { ok: false, code, step: 'queued' })
    if (!call.abortedFor) this.orders.push(`interrupt ${call.fn} at ${this.now}`)
    call.abortedFor ??= code
    call.killAt = Math.min(call.killAt, this.now + grace)
    this.#killIfDue(call)
  }

  end(call: ModelCall, ending: Ending): void {
    equal(call.ending, undefined)
    call.ending = ending
    call.state = 'finished'
    this.total[ending.ok ? 'succeeded' : 'failed'] += 1
    this.events.push(`finished ${call.fn}`)
    const { retain = 600_000 } = call
    if (call.kept && retain > 0) {
      call.expiresAt = this.now + retain
      this.kept.push(call)
      if (this.kept.length > this.#world.retainLimit) this.#expire(this.kept[0] as ModelCall)
    } else this.drop(call)
    for (const wait of this.open) if (wait.call === call) this.#answer(wait)
    if (this.#refusedForRoom) this.events.push('drain')
    this.#refusedForRoom = false
    if (this.underWay.length === 0) this.events.push('idle')
  }

  drop(call: ModelCall): void {
    this.kept = this.kept.filter((each) => each !== call)
    call.kept = false
    call.key = undefined
  }

  /** A wait goes away. */
  leave(wait: ModelWait): void {
    this.open = this.open.filter((each) => each !== wait)
  }

  advance(ms: number): void {
    const until = this.now + ms
    for (let at = this.#nextAt; at <= until; at = this.#nextAt) {
      this.now = at
      for (const wait of this.open) if (wait.until === at) this.#answer(wait)
      for (const call of this.in('running')) {
        if (call.deadline === at) {
          call.deadline = Infinity
          this.abort(call, 'DEADLINE_EXCEEDED', call.grace)
        }
        this.#killIfDue(call)
      }
      for (const call of this.kept) if (call.expiresAt === at) this.#expire(call)
      this.settle()
    }
    this.now = until
  }

  /** The answers reach the callers: whether a call can be asked for is said as it is by then. */
  settle(): void {
    for (const { call, answer } of this.#fresh) if (answer && 'ok' in answer) answer.canAsk = call.kept
    this.#fresh = []
  }

  get #nextAt(): number {
    const running = this.in('running')
    return Math.min(
      ...this.open.map(({ until }) => until),
      ...running.map(({ deadline }) => deadline),
      ...running.filter(({ isKilled }) => !isKilled).map(({ killAt }) => killAt),
      ...this.kept.map(({ expiresAt }) => expiresAt),
    )
  }

  #killIfDue(call: ModelCall): void {
    if (call.isKilled || call.ending || call.killAt > this.now) return
    call.isKilled = true
    this.orders.push(`kill ${call.fn} at ${this.now}`)
    if (this.#world.endsWhenKilled) this.end(call, endings.killed(call))
  }

  #expire(call: ModelCall): void {
    this.drop(call)
    this.total.expired += 1
    this.events.push(`expired ${call.fn}`)
  }

  #answer(wait: ModelWait): void {
    const { call } = wait
    wait.answer = this.statusOf(call)
    wait.answeredAt = this.now
    this.#fresh.push(wait)
    this.leave(wait)
  }

  /** Who is told that a call has not ended may come back for it. */
  statusOf(call: ModelCall): Answer {
    if (call.ending) return { ...call.ending, canAsk: call.kept }
    call.kept = true
    return { state: shownState(call), progress: call.progress, canAsk: true }
  }
}

function shownState({ state }: ModelCall): 'queued' | 'running' | 'finished' {
  return state === 'sent' ? 'queued' : state
}

/** What it makes of a call that a function returns or throws, that its thread crashes or was killed. */
const endings = {
  returned: (_: ModelCall, value: number): Ending => ({ ok: true, value }),
  threw: ({ abortedFor }: ModelCall): Ending =>
    abortedFor ? { ok: false, code: abortedFor, step: 'cooperative' } : { ok: false, code: 'FUNCTION_THREW' },
  // A call that was to end anyway has ended as it was to.
  crashed: ({ abortedFor }: ModelCall): Ending =>
    abortedFor ? { ok: false, code: abortedFor, step: 'killed' } : { ok: false, code: 'WORKER_CRASHED' },
  killed: ({ abortedFor }: ModelCall): Ending => ({ ok: false, code: abortedFor ?? '', step: 'killed' }),
}

// The runner and the model, side by side.

/** A `start`, a `call` or a `wait`, and what came of it. */
interface Request {
  kind: 'start' | 'call' | 'wait'
  wait: ModelWait
  /** Takes the wait away. */
  gone: AbortController
  isGone: boolean
  answers: number
  at: number
  answer: unknown
  error: unknown
}

class Pair {
  readonly #clock = new FakeClock()
  readonly #runner: LocalRunner<AnyFunctions>
  readonly #executor: FakeExecutor
  readonly #model: Model
  readonly #world: World
  /** The IDs that callers have seen, and those that listeners have. */
  readonly #ids = new Map<ModelCall, string>()
  readonly #idsOfEvents = new Map<string, string>()
  readonly #signals = new Map<ModelCall, AbortController>()
  readonly #requests: Request[] = []
  readonly #events: string[] = []

  constructor(world: World) {
    this.#world = world
    this.#model = new Model(world, this.#clock.now())
    const { runner, executor } = createRunner(this.#clock, world.retainLimit)
    this.#runner = runner
    this.#executor = executor
    if (world.endsWhenKilled) executor.onKill = (call) => executor.reap(call)
    this.#listen()
  }

  #listen(): void {
    this.#runner.on('queued', (event) => {
      this.#events.push(`queued ${event.fn}`)
      if (this.#world.readsIds) this.#idsOfEvents.set(event.fn, event.id)
    })
    this.#runner.on('started', ({ fn }) => this.#events.push(`started ${fn}`))
    this.#runner.on('progress', ({ fn }) => this.#events.push(`progress ${fn}`))
    this.#runner.on('finished', ({ fn }) => this.#events.push(`finished ${fn}`))
    this.#runner.on('expired', ({ fn }) => this.#events.push(`expired ${fn}`))
    this.#runner.on('idle', () => this.#events.push('idle'))
    this.#runner.on('drain', () => this.#events.push('drain'))
  }

  /** False when there was nothing to do it with. */
  async do(step: Step): Promise<boolean> {
    const isDone = await this.#try(step)
    await this.#settle()
    return isDone
  }

  async #try(step: Step): Promise<boolean> {
    switch (step.do) {
      case 'start':
      case 'call':
        return this.#start(step)
      case 'wait':
        return this.#wait(step.which, step.timeout)
      case 'cancel':
        return this.#cancel(step.which, step.grace)
      case 'forget':
        return this.#forget(step.which)
      case 'abort the signal of a call': {
        const call = pick([...this.#signals.keys()], step.which)
        if (!call) return false
        this.#signals.get(call)?.abort()
        this.#signals.delete(call)
        this.#model.abort(call, 'ABORTED', call.grace)
        return true
      }
      case 'go away': {
        const open = this.#requests.filter(({ kind, wait, isGone }) => kind === 'wait' && !isGone && !wait.answer)
        const request = pick(open, step.which)
        if (!request) return false
        request.gone.abort('gone')
        request.isGone = true
        this.#model.leave(request.wait)
        return true
      }
      case 'send':
        return this.#send()
      case 'begin':
        return this.#withSent(step.which, this.#model.in('sent'), (real, call) => {
          this.#executor.begin(real)
          this.#model.begin(call)
        })
      case 'report':
        return this.#withSent(step.which, this.#model.in('running'), (real, call) => {
          this.#executor.report(real, step.which)
          call.progress = step.which
          this.#model.events.push(`progress ${call.fn}`)
        })
      case 'return':
        return this.#withSent(step.which, this.#model.in('running'), (real, call) => {
          this.#executor.return(real, step.which)
          this.#model.end(call, endings.returned(call, step.which))
        })
      case 'throw':
        return this.#withSent(step.which, this.#model.in('running'), (real, call) => {
          this.#executor.throw(real, new RangeError('boom'))
          this.#model.end(call, endings.threw(call))
        })
      case 'crash':
        return this.#withSent(step.which, this.#model.in(step.state), (real, call) => {
          this.#executor.crash(real)
          this.#model.end(call, endings.crashed(call))
        })
      case 'put back':
        return this.#withSent(step.which, this.#model.in('sent'), (real, call) => {
          this.#executor.putBack(real)
          call.state = 'queued'
        })
      case 'reap': {
        const killed = this.#model.in('running').filter(({ isKilled }) => isKilled)
        return this.#withSent(step.which, killed, (real, call) => {
          this.#executor.reap(real)
          this.#model.end(call, endings.killed(call))
        })
      }
      case 'advance':
        await this.#clock.advance(step.ms)
        this.#model.advance(step.ms)
        return true
      case 'list':
        await this.#list(step.state)
        return true
      case 'ask for a stranger': {
        const id = step.code === 'CALL_LOST' ? new CallIds().create(1) : 'nonsense'
        await this.#refused(this.#runner.wait(id), step.code)
        await this.#refused(this.#runner.cancel(id), step.code)
        await this.#refused(this.#runner.forget(id), step.code)
        return true
      }
    }
  }

  async #settle(): Promise<void> {
    await this.#clock.settle()
    this.#model.settle()
    this.#check()
  }

  async #start({ do: kind, timeout, isSignalled, facts }: StartStep): Promise<true> {
    const { key: givenKey, arg, retain, ...rest } = facts
    const key = kind === 'start' ? givenKey : undefined
    const existing = key === undefined ? undefined : this.#model.calls.find((call) => call.key === key)
    const fn = existing?.fn ?? `f${this.#model.calls.length + 1}`
    const aborter = new AbortController()
    const options = { ...rest, ...(isSignalled && { signal: aborter.signal }) }
    const real =
      kind === 'call'
        ? this.#runner.call(fn, [arg], options)
        : this.#runner.start(fn, [arg], {
            ...options,
            timeout,
            ...(retain !== undefined && { retain }),
            ...(key !== undefined && { idempotencyKey: key }),
          })
    if (existing && existing.arg !== arg) return this.#refused(real, 'KEY_REUSED')
    if (!existing && this.#model.refuses()) return this.#refused(real, 'QUEUE_FULL')
    const call = existing ?? this.#model.admit(fn, { ...facts, key, retain: kind === 'start' ? retain : undefined })
    const id = this.#idsOfEvents.get(fn)
    if (id !== undefined) this.#ids.set(call, id)
    if (isSignalled && !existing) this.#signals.set(call, aborter)
    this.#request(kind, call, real, kind === 'start' ? timeout : Infinity)
    return true
  }

  #request(
    kind: Request['kind'],
    call: ModelCall,
    real: Promise<unknown>,
    timeout: number,
    gone = new AbortController(),
  ): void {
    const wait = this.#model.wait(call, timeout)
    const request: Request = { kind, wait, gone, isGone: false, answers: 0, at: 0, answer: undefined, error: undefined }
    this.#requests.push(request)
    const answered = (): void => {
      request.answers += 1
      request.at = this.#clock.now()
    }
    real.then(
      (answer) => {
        request.answer = answer
        answered()
      },
      (error: unknown) => {
        request.error = error
        answered()
      },
    )
  }

  async #wait(at: number, timeout: number): Promise<boolean> {
    const [call, id] = this.#known(at)
    if (!call) return false
    const gone = new AbortController()
    const real = this.#runner.wait(id, { timeout, signal: gone.signal })
    if (this.#model.canBeAskedFor(call)) this.#request('wait', call, real, timeout, gone)
    else await this.#refused(real, 'CALL_EXPIRED')
    return true
  }

  async #cancel(at: number, given: number | undefined): Promise<boolean> {
    const [call, id] = this.#known(at)
    if (!call) return false
    const real = this.#runner.cancel(id, given === undefined ? {} : { grace: given })
    if (!this.#model.canBeAskedFor(call)) return this.#refused(real, 'CALL_EXPIRED')
    this.#model.abort(call, 'ABORTED', given ?? call.grace)
    this.#compare(await real, this.#model.statusOf(call), call)
    return true
  }

  async #forget(at: number): Promise<boolean> {
    const [call, id] = this.#known(at)
    if (!call) return false
    const real = this.#runner.forget(id)
    if (!this.#model.canBeAskedFor(call)) return this.#refused(real, 'CALL_EXPIRED')
    if (!call.ending) return this.#refused(real, 'CALL_RUNNING')
    await real
    this.#model.drop(call)
    return true
  }

  /** As `rejects`, but one that is not refused fails instead of waiting for ever. */
  async #refused(real: Promise<unknown>, code: string): Promise<true> {
    let outcome: unknown
    real.then(
      () => (outcome = 'an answer'),
      (error: CallError) => (outcome = error.code),
    )
    await this.#clock.settle()
    equal(outcome, code)
    return true
  }

  /** One of the calls whose ID was seen, and the ID. */
  #known(at: number): [call: ModelCall, id: string] | [call: undefined, id: ''] {
    return pick([...this.#ids], at) ?? [undefined, '']
  }

  #withSent(which: number, from: readonly ModelCall[], act: (real: Call, call: ModelCall) => void): boolean {
    const call = pick(from, which)
    if (!call) return false
    const real = [...this.#executor.sent].find(({ fn }) => fn === call.fn)
    ok(real, `${call.fn} is on the executor`)
    act(real, call)
    return true
  }

  #send(): boolean {
    const queued = this.#model.in('queued')
    const sent = this.#executor.send()
    if (queued.length === 0) {
      equal(sent, undefined)
      return false
    }
    const call = queued.find(({ fn }) => fn === sent?.fn)
    ok(call, 'it was in the queue')
    const rank = ({ admittedAt, priority }: ModelCall): number => admittedAt - priority * 1_000
    equal(rank(call), Math.min(...queued.map(rank)))
    equal(
      call,
      queued.find(({ priority }) => priority === call.priority),
      'first in, first out',
    )
    call.state = 'sent'
    return true
  }

  async #list(state: 'queued' | 'running' | 'finished' | undefined): Promise<void> {
    const { calls } = await this.#runner.list({ limit: 1_000, ...(state && { state }) })
    const expected = this.#model.calls.filter(
      (call) => this.#model.canBeAskedFor(call) && (state === undefined || shownState(call) === state),
    )
    deepEqual(
      calls.map(({ fn, state: shown }) => [fn, shown]),
      expected.map((call) => [call.fn, shownState(call)]),
    )
    for (const [i, call] of expected.entries()) {
      this.#seen(calls[i]?.id, call)
      call.kept = true
    }
  }

  #seen(id: string | undefined, call: ModelCall): void {
    ok(id !== undefined)
    equal(this.#ids.get(call) ?? id, id, 'a call has one ID')
    this.#ids.set(call, id)
  }

  // What must hold after every step

  #check(): void {
    const { calls, total, queueLength, waits } = this.#runner.stats()
    const model = this.#model
    deepEqual(calls, {
      queued: model.in('queued').length + model.in('sent').length,
      running: model.in('running').length,
      finished: model.kept.length,
    })
    deepEqual(total, model.total)
    deepEqual([queueLength, waits], [model.in('queued').length, model.open.length])
    deepEqual(this.#events.toSorted(), model.events.toSorted())
    deepEqual(
      [
        ...this.#executor.interrupted.map(({ call, at }) => `interrupt ${call.fn} at ${at}`),
        ...this.#executor.killed.map(({ call, at }) => `kill ${call.fn} at ${at}`),
      ].toSorted(),
      model.orders.toSorted(),
    )
    for (const request of this.#requests) this.#checkRequest(request)
  }

  #checkRequest({ kind, wait, isGone, answers, at, answer, error }: Request): void {
    const { call, answer: expected } = wait
    if (isGone) return deepEqual([answers, error], [1, 'gone'])
    if (!expected) return equal(answers, 0)
    deepEqual([answers, at], [1, wait.answeredAt], `${kind} of ${call.fn}`)
    if (kind !== 'call') return this.#compare(answer as CallStatus, expected, call)
    if (!('ok' in expected)) throw new Error('call() is only answered at the end')
    if (expected.ok) return equal(answer, expected.value)
    if (expected.code === 'FUNCTION_THREW') ok(error instanceof RangeError && error.message === 'boom')
    else this.#compareErrors(error, expected, call)
  }

  #compare(actual: CallStatus, expected: Answer, call: ModelCall): void {
    equal(actual.id !== undefined, expected.canAsk)
    if (actual.id !== undefined) this.#seen(actual.id, call)
    if (!('ok' in expected)) {
      ok(!actual.finished)
      return deepEqual([actual.state, actual.progress], [expected.state, expected.progress])
    }
    ok(actual.finished)
    if (!expected.ok) {
      ok(!actual.ok)
      return this.#compareErrors(actual.error, expected, call)
    }
    ok(actual.ok)
    equal(actual.value, expected.value)
  }

  #compareErrors(error: unknown, { code, step }: { code: string; step?: string | undefined }, { fn }: ModelCall): void {
    ok(error instanceof CallError)
    deepEqual([error.code, error.step, error.fn], [code, step, fn])
  }

  /** Lets everything come to its end. */
  async finish(): Promise<void> {
    const closing = this.#runner.close({ abort: this.#world.closes === 'with abort' })
    if (this.#world.closes === 'with abort') {
      for (const call of this.#model.underWay) this.#model.abort(call, 'ABORTED', call.grace)
    }
    await this.#refused(this.#runner.start('late', []), 'RUNNER_CLOSED')
    await this.#settle()
    while (this.#model.underWay.length > 0) {
      equal(this.#executor.closed, 0)
      for (const step of ['send', 'begin', 'return'] as const) await this.do({ do: step, which: 0 })
    }
    await closing
    equal(this.#executor.closed, 1)
    equal(this.#executor.sent.size, 0)
    equal(this.#model.open.length, 0)
    // By now the last look at young waits is over.
    await this.do({ do: 'advance', ms: 20 })
    equal(this.#clock.pendingRef, 0, 'nothing keeps the process alive')

    for (const call of this.#model.kept.filter(({ expiresAt }) => expiresAt === Infinity)) {
      await this.#runner.forget(this.#ids.get(call) ?? (await this.#idOf(call)))
      this.#model.drop(call)
    }
    await this.do({ do: 'advance', ms: 600_000 })
    deepEqual(await this.#runner.list(), { calls: [] })
    deepEqual(this.#runner.stats().calls, { queued: 0, running: 0, finished: 0 })
    equal(this.#clock.pending, 0, 'no timer is left')
  }

  async #idOf({ fn }: ModelCall): Promise<string> {
    const { calls } = await this.#runner.list({ fn })
    return calls[0]?.id as string
  }
}

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from[which % Math.max(1, from.length)]
}

// The steps. Times are chosen so that a kill never falls on the millisecond in which a wait is over: either answer would
// be right there.

interface StartStep {
  do: 'start' | 'call'
  timeout: number
  isSignalled: boolean
  facts: Facts
}

type Step =
  | StartStep
  | { do: 'wait'; which: number; timeout: number }
  | { do: 'cancel'; which: number; grace: number | undefined }
  | { do: 'crash'; which: number; state: 'sent' | 'running' }
  | { do: 'advance'; ms: number }
  | { do: 'list'; state: 'queued' | 'running' | 'finished' | undefined }
  | { do: 'ask for a stranger'; code: 'CALL_LOST' | 'CALL_UNKNOWN' }
  | { do: PlainStep; which: number }

type PlainStep =
  | 'forget'
  | 'abort the signal of a call'
  | 'go away'
  | 'send'
  | 'begin'
  | 'report'
  | 'return'
  | 'throw'
  | 'put back'
  | 'reap'

const timeout = fc.constantFrom(0, 0, 1, 3, 4, 10, 50, 1_000, 4_000, Infinity)
const grace = fc.constantFrom(0, 2, 12, 202, Infinity)
const which = fc.nat({ max: 50 })
const facts: fc.Arbitrary<Facts> = fc.record({
  priority: fc.constantFrom(0, 0, 0, 1, 5, -100),
  abortAfter: fc.constantFrom(Infinity, 45, 305),
  grace,
  retain: fc.constantFrom(undefined, undefined, 0, 1, 40, 2_000, Infinity),
  key: fc.constantFrom(undefined, undefined, undefined, 'a', 'b'),
  arg: fc.constantFrom(1, 1, 2),
})

function plain(...steps: PlainStep[]): fc.Arbitrary<Step> {
  return fc.record({ do: fc.constantFrom(...steps), which })
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('start', 'start', 'call'), timeout, isSignalled: fc.boolean(), facts }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), which, timeout }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('cancel'), which, grace: fc.option(grace, { nil: undefined }) }),
  },
  { weight: 8, arbitrary: plain('send', 'begin') },
  { weight: 4, arbitrary: plain('return', 'throw', 'reap') },
  { weight: 4, arbitrary: plain('put back', 'forget', 'report', 'go away', 'abort the signal of a call') },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash'), which, state: fc.constantFrom('sent', 'running') }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.constantFrom(10, 10, 50, 400, 5_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('list'),
      state: fc.constantFrom(undefined, 'queued', 'running', 'finished'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('ask for a stranger'), code: fc.constantFrom('CALL_LOST', 'CALL_UNKNOWN') }),
  },
) as fc.Arbitrary<Step>

function worlds(retainLimits: number[], endsWhenKilled: boolean): fc.Arbitrary<World> {
  return fc.record({
    retainLimit: fc.constantFrom(...retainLimits),
    endsWhenKilled: fc.constant(endsWhenKilled),
    readsIds: fc.boolean(),
    closes: fc.constantFrom('patiently', 'with abort'),
  })
}

// Calls that expire and calls that are killed in the same millisecond would compete for room.
const world = fc.oneof(worlds([0, 1, 2, 1_000], false), worlds([1_000], true))

/** Each step there is. */
const STEPS = Object.keys({
  start: true,
  call: true,
  wait: true,
  cancel: true,
  forget: true,
  'abort the signal of a call': true,
  'go away': true,
  send: true,
  begin: true,
  report: true,
  return: true,
  throw: true,
  crash: true,
  'put back': true,
  reap: true,
  advance: true,
  list: true,
  'ask for a stranger': true,
} satisfies Record<Step['do'], true>)

test(
  'a runner does what the model says, whatever is asked of it in whatever order',
  { timeout: 120_000 },
  async (t) => {
    let runs = 0
    const done = new Map(STEPS.map((name) => [name, 0]))
    await fc.assert(
      fc.asyncProperty(world, fc.array(step, { maxLength: 80, size: 'max' }), async (given, steps) => {
        const pair = new Pair(given)
        for (const each of steps) {
          if (await pair.do(each)) done.set(each.do, (done.get(each.do) ?? 0) + 1)
        }
        await pair.finish()
        runs += 1
      }),
      // A run that hangs is told with its seed, too; a machine that is very busy does fewer of them.
      { numRuns: 500, timeout: 10_000, interruptAfterTimeLimit: 60_000 },
    )
    t.diagnostic(`${runs} runs: ${[...done].map(([name, count]) => `${name} ${count}`).join(', ')}`)
    ok(runs >= 50, `${runs} runs are too few to say anything`)
    const missing = STEPS.filter((name) => done.get(name) === 0)
    deepEqual(missing, [], 'no step is left out')
  },
)

// What the model does not try: things that happen in one turn of the event loop, or inside a listener.

test('a call that ends between the timeout of a wait and its answer is answered as finished', LIMIT, async () => {
  const clock = new FakeClock()
  let afterTimer = (): void => undefined
  const { runner, executor } = createRunner({
    now: () => clock.now(),
    setTimeout: (callback, ms, options) =>
      clock.setTimeout(
        () => {
          callback()
          afterTimer()
        },
        ms,
        options,
      ),
  })
  for (const ms of [2, 1_000]) {
    const answer = runner.start('work', [], { timeout: ms })
    const call = executor.sendAndBegin()
    await clock.advance(ms - 1)
    afterTimer = () => executor.return(call, 'just in time')
    await clock.advance(1)
    afterTimer = () => undefined
    deepEqual(await answer, { finished: true, ok: true, value: 'just in time' })
  }
})

test(
  'an end that has arrived and was not heard is heard before anything is said or done about its call',
  LIMIT,
  async () => {
    const clock = new FakeClock()
    const { runner, executor } = createRunner(clock)
    const arrived = async (): Promise<CallId> => {
      const { id } = await runner.start('work', [], { timeout: 0, grace: 0 })
      const call = executor.sendAndBegin()
      executor.onLook = (asked) => {
        if (asked === call) executor.return(call, 'in time')
      }
      return id
    }
    const ended = { finished: true, ok: true, value: 'in time' }
    for (const ask of [
      (id: CallId) => runner.wait(id, { timeout: 0 }),
      (id: CallId) => runner.wait(id, { timeout: 1 }),
      (id: CallId) => runner.cancel(id),
    ]) {
      const id = await arrived()
      const answer = ask(id)
      await clock.advance(1)
      deepEqual(await answer, { ...ended, id })
    }
    deepEqual([executor.interrupted, executor.killed], [[], []])
  },
)

test('a call whose end arrives in its grace time and was not heard is not killed', LIMIT, async () => {
  const clock = new FakeClock()
  const { runner, executor } = createRunner(clock)
  const { id } = await runner.start('work', [], { timeout: 0 })
  const call = executor.sendAndBegin()
  await runner.cancel(id, { grace: 100 })
  executor.onLook = () => executor.return(call, 'in time')
  await clock.advance(100)
  deepEqual(await runner.wait(id), { finished: true, ok: true, value: 'in time', id })
  deepEqual(executor.killed, [])
})

test('a call that is cancelled as it is queued is dropped', LIMIT, async () => {
  const { runner, executor } = createRunner(new FakeClock())
  let cancelled: Promise<CallStatus> | undefined
  runner.once('queued', ({ id }) => {
    cancelled = runner.cancel(id)
  })
  const status = await runner.start('work', [], { timeout: 0 })
  ok(status.finished && !status.ok)
  deepEqual([status.error.code, status.error.step], ['ABORTED', 'queued'])
  equal((await cancelled)?.finished, true)
  equal(executor.send(), undefined)
})

test('a call whose signal aborts as it is queued is dropped', LIMIT, async () => {
  const { runner, executor } = createRunner(new FakeClock())
  const aborter = new AbortController()
  runner.once('queued', () => aborter.abort())
  const status = await runner.start('work', [], { timeout: 0, signal: aborter.signal })
  ok(status.finished && !status.ok)
  deepEqual([status.error.code, status.error.step], ['ABORTED', 'queued'])
  equal(executor.send(), undefined)
})

test('a call that is queued as its runner is closed with abort ends, and the runner closes', LIMIT, async () => {
  const { runner, executor } = createRunner(new FakeClock())
  let closed: Promise<void> | undefined
  runner.once('queued', () => {
    closed = runner.close({ abort: true })
  })
  const status = await runner.start('work', [], { timeout: 0 })
  equal(status.finished, true)
  await closed
  deepEqual([executor.closed, executor.send()], [1, undefined])
})

test('the runner is told to be idle once, also when a listener ends the last call', LIMIT, async () => {
  const { runner, executor } = createRunner(new FakeClock())
  const events: string[] = []
  void runner.start('first', [])
  const first = executor.sendAndBegin()
  const last = await runner.start('last', [], { timeout: 0 })
  runner.on('idle', () => events.push('idle'))
  runner.on('finished', ({ fn }) => {
    events.push(fn)
    if (fn === 'first') void runner.cancel(last.id as string)
  })
  executor.return(first)
  deepEqual(events, ['first', 'last', 'idle'])
})

test('a call expires after it has finished, also where none is kept', LIMIT, async () => {
  const clock = new FakeClock()
  const { runner, executor } = createRunner(clock, 0)
  const events: string[] = []
  for (const name of ['finished', 'expired'] as const) runner.on(name, () => events.push(name))
  await runner.start('work', [], { timeout: 0 })
  executor.return(executor.sendAndBegin())
  deepEqual(events, ['finished', 'expired'])
})

test('the same key with equal arguments gives the call that exists, however they came to be', LIMIT, async () => {
  const { runner } = createRunner(new FakeClock())
  const text = 'a text that is as long as this one'
  const shared = { a: 1 }
  const equals: [unknown, unknown][] = [
    [text, `€${text}`.slice(1)],
    [[1, 2], [1.5, 1, 2].slice(1)],
    [[1, 2], [...new Float64Array([1, 2])]],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [
      [shared, shared],
      [{ a: 1 }, { a: 1 }],
    ],
  ]
  for (const [i, [once, again]] of equals.entries()) {
    deepEqual(once, again)
    const { id } = await runner.start('work', [once], { timeout: 0, idempotencyKey: `key ${i}` })
    const second = await runner.start('work', [again], { timeout: 0, idempotencyKey: `key ${i}` })
    equal(second.id, id)
  }
})

test('a call that a listener forgets as it finishes is answered without an ID', LIMIT, async () => {
  const clock = new FakeClock()
  const { runner, executor } = createRunner(clock)
  const { id } = await runner.start('work', [], { timeout: 0 })
  const wait = runner.wait(id as string)
  runner.on('finished', () => void runner.forget(id as string))
  executor.return(executor.sendAndBegin(), 5)
  deepEqual(await wait, { finished: true, ok: true, value: 5 })
  await rejects(runner.wait(id as string), { code: 'CALL_EXPIRED' })
})
