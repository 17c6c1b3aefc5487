import { fileURLToPath } from 'node:url'
import pTimeout from 'p-timeout'
import type { Clock, Timer } from '../../model/clock.ts'
import { CallError, functionNotFound } from '../../model/errors.ts'
import type { ResolvedThreadsOptions } from '../../model/thread-options.ts'
import { decodeError, textOf, type EncodedError } from '../../protocol/encoded-error.ts'
import type { AbortCause } from '../../protocol/messages.ts'
import type {
  Executor,
  ExecutorPorts,
  ExecutorStats,
  Job,
  JobEnd,
  JobListener,
  JobSource,
  JobTimes,
} from '../executor.ts'
import { checkExpected } from '../expected-functions.ts'
import { logLevelOf } from '../log-level.ts'
import type { RunnerLogger } from '../runner-logger.ts'
import { ReadyWaits } from '../ready-waits.ts'
import { StartFailures } from '../start-failures.ts'
import { laneOf } from './lane-slots.ts'
import { Lane, type LaneEnd, type LaneOwner } from './lane.ts'
import { Lookout } from './lookout.ts'
import { chooseLane, takeOver } from './placement.ts'
import { RunTimes } from './run-times.ts'
import { ThreadPool } from './thread-pool.ts'

export interface ThreadExecutorOptions {
  /** The functions module. */
  functions: URL
  /** Names of which options are given: functions that have to be there. */
  expected: readonly string[]
  threads: ResolvedThreadsOptions
}

/** Milliseconds that a lane without jobs holds its thread: opening one costs more than a small call. */
const LINGER = 100
/** Milliseconds between two looks at lanes that may be stalled, and when all are. */
const LOOK_EVERY = 2
const LOOK_AT_STALLED_EVERY = 25
/** Microseconds of work that wait for each thread that is started: about what a start takes. */
const START_ABOVE = 10_000
/** The same for a thread that is there and idle. */
const REUSE_ABOVE = 200
/** Microseconds that a job may be expected to take where it is looked for its end. */
const LOOK_BELOW = 50
/** Milliseconds after which a thread that was ready has shown that threads can live here. */
const HEALTHY_AFTER = 1_000
/** Milliseconds for the threads to end at `close`. */
const CLOSE_WITHIN = 5_000

/** Runs jobs on worker threads. */
export class ThreadExecutor<J extends Job> implements Executor<J>, LaneOwner<J> {
  readonly listener: JobListener<J>
  functions: ReadonlySet<string> | undefined
  readonly #options: ThreadExecutorOptions
  readonly #source: JobSource<J>
  readonly #clock: Clock
  readonly #logger: RunnerLogger
  readonly #pool: ThreadPool
  readonly #runTimes = new RunTimes()
  readonly #failures: StartFailures
  /** Lanes that have or wait for a thread, in the order in which they are tried. */
  readonly #lanes = new Set<Lane<J>>()
  readonly #lookout = new Lookout(this.#lanes)
  readonly #readyWaits = new ReadyWaits()
  /** Threads that were ended on purpose, and of which Piscina has not said so yet. */
  #expectedLosses = 0
  #dispatchPlanned = false
  #look: Timer | undefined
  #sweep: Timer | undefined
  #isClosed = false

  constructor(options: ThreadExecutorOptions, { source, listener, clock, logger }: ExecutorPorts<J>) {
    this.#options = options
    this.#source = source
    this.listener = listener
    this.#clock = clock
    this.#logger = logger
    this.#failures = new StartFailures(clock)
    this.#pool = new ThreadPool(options.threads, (error) => this.#threadLost(error))
    this.#openUpTo(options.threads.min)
  }

  get capacity(): number {
    return this.#options.threads.max * this.#options.threads.concurrency
  }

  wake(): void {
    if (this.#dispatchPlanned) return
    this.#dispatchPlanned = true
    // After the promises that settle in this turn: the calls that they begin travel in the same message.
    process.nextTick(() => this.#dispatch())
  }

  look(job: J): void {
    laneOf(job)?.hear()
  }

  revoke(job: J): boolean {
    return laneOf(job)?.revoke(job) ?? false
  }

  interrupt(job: J, cause: AbortCause): void {
    laneOf(job)?.interrupt(job, cause)
  }

  kill(job: J): void {
    const lane = laneOf(job)
    if (!lane?.kill(job)) return
    this.#logger.debug({ threadId: lane.threadId, fn: job.fn }, 'thread killed')
    this.#replace(lane)
  }

  /** A lane whose thread is ending is no longer counted: another one can take its place before it has ended. */
  #replace(lane: Lane<J>): void {
    this.#lanes.delete(lane)
    this.#openUpTo(this.#options.threads.min)
    this.wake()
  }

  async ready(): Promise<void> {
    const failure = this.#failures.reasonToPause
    if (failure) throw failure
    const wanted = Math.max(1, this.#options.threads.min)
    this.#openUpTo(wanted)
    if (this.#open >= wanted) return
    await this.#readyWaits.wait()
  }

  stats(): ExecutorStats {
    let busy = 0
    for (const lane of this.#lanes) if (lane.inFlight > 0) busy += 1
    return { size: this.#pool.size, busy }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#look?.clear()
    this.#sweep?.clear()
    this.#readyWaits.close()
    await Promise.all(Array.from(this.#lanes, (lane) => endOf(lane)))
    await pTimeout(this.#pool.close(), {
      milliseconds: CLOSE_WITHIN,
      fallback: () => this.#logger.warn('a thread does not end: native code holds it up'),
    })
  }

  // From the lanes

  laneReady(lane: Lane<J>, functions: string[]): void {
    try {
      checkExpected(this.#options.expected, functions)
    } catch (error) {
      this.#startFailed(lane, error)
      return
    }
    this.#logger.debug({ threadId: lane.threadId }, 'thread ready')
    this.functions ??= new Set(functions)
    if (this.#open >= Math.max(1, this.#options.threads.min)) this.#readyWaits.settle()
    this.#planSweep()
    this.wake()
  }

  laneFailed(lane: Lane<J>, error: EncodedError): void {
    this.#startFailed(lane, decodeError(error))
  }

  laneHasRoom(): void {
    this.#failures.succeeded()
    this.wake()
  }

  laneTerminated(): void {
    this.#expectedLosses += 1
  }

  laneGone(lane: Lane<J>, { error, wasForJob, openFor }: LaneEnd): void {
    const wasOurs = this.#lanes.delete(lane)
    if (this.#isClosed) return
    // A thread that dies by itself, soon after its start and before it was of any use, would die so again and again.
    if (wasOurs && !wasForJob && !lane.hasServed && openFor < HEALTHY_AFTER)
      this.#startFailed(lane, error, { hasThread: false, again: this.#failures.count === 0 })
    else if (wasOurs) {
      // The calls that went down with it are told of one by one.
      this.#logger[wasForJob ? 'debug' : 'warn']({ threadId: lane.threadId, err: error }, 'thread crashed')
      this.#openUpTo(this.#options.threads.min)
    }
    this.wake()
  }

  jobEnded(job: J, end: JobEnd, times?: JobTimes): void {
    if (times) this.#runTimes.record(job.fn, (times.endedAt - times.startedAt) * 1_000)
    this.listener.ended(job, end, times)
  }

  putBack(job: J): void {
    this.#source.putBack(job)
    this.wake()
  }

  // To the lanes

  #dispatch(): void {
    this.#dispatchPlanned = false
    for (let job = this.#source.peek(); job; job = this.#source.peek()) {
      if (this.functions && !this.functions.has(job.fn)) {
        this.#source.take()
        const error = functionNotFound(job.fn, this.functions)
        this.listener.ended(job, { type: 'failed', error })
        continue
      }
      const estimate = this.#runTimes.estimate(job.fn)
      const lane = chooseLane(this.#lanes, job, { estimate, isWhole: this.#lanes.size === this.#options.threads.max })
      if (!lane) break
      // Sending can end other calls, and who hears of that may cancel this one: it is still in the queue.
      if (!lane.admits(job)) {
        lane.post()
        continue
      }
      this.#source.take()
      lane.add(job, estimate)
      this.listener.sent(job)
    }
    let isExpected = false
    for (const lane of this.#lanes) {
      lane.post()
      if (lane.loadPerJob < LOOK_BELOW) isExpected = true
    }
    if (isExpected) this.#lookout.expect()
    if (this.#source.size > 0) this.#grow()
    else takeOver(this.#lanes)
    this.#planLook()
  }

  /** Opens lanes for what waits, if it waits for longer than that takes. */
  #grow(): void {
    const room = this.#options.threads.max - this.#lanes.size
    if (room <= 0) return
    const failure = this.#failures.reasonToPause
    if (failure) {
      if (this.#lanes.size === 0) this.#failQueue(failure)
      return
    }
    const opening = this.#lanes.size - this.#open
    const wanted = Math.min(room, this.#lanesWorthOpening() - opening)
    for (let i = 0; i < wanted; i++) this.#openLane()
  }

  #lanesWorthOpening(): number {
    const waiting = Math.ceil(this.#source.size / this.#options.threads.concurrency)
    const estimate = this.#runTimes.estimate(this.#source.peek()?.fn ?? '')
    let wait = Infinity
    for (const lane of this.#lanes) if (lane.state === 'open') wait = Math.min(wait, lane.expectedWait)
    if (estimate === undefined || wait === Infinity) return waiting
    const cost = this.#pool.size > this.#lanes.size ? REUSE_ABOVE : START_ABOVE
    return Math.min(waiting, Math.floor((wait + this.#source.size * estimate) / cost))
  }

  #openUpTo(count: number): void {
    while (this.#lanes.size < count && !this.#failures.reasonToPause) this.#openLane()
  }

  #openLane(): void {
    const { functions, threads } = this.#options
    const lane = new Lane<J>({
      owner: this,
      clock: this.#clock,
      concurrency: threads.concurrency,
      functions: functions.href,
      logLevel: logLevelOf(this.#logger),
      serve: (task, signal) => this.#pool.serve(task, signal),
      threadOf: (threadId) => this.#pool.threadOf(threadId),
    })
    this.#lanes.add(lane)
  }

  get #open(): number {
    let open = 0
    for (const lane of this.#lanes) if (lane.state === 'open') open += 1
    return open
  }

  // When threads do not start

  /** @param how whether the thread is still there; and whether it could be bad luck, so that another is to be tried. */
  #startFailed(lane: Lane<J>, cause: unknown, { hasThread = true, again = false } = {}): void {
    this.#lanes.delete(lane)
    lane.terminate(hasThread)
    const why = cause instanceof Error ? cause.message : textOf(cause)
    const message = `no thread could be made ready for ${fileURLToPath(this.#options.functions)}: ${why}`
    const error = new CallError('SPAWN_FAILED', message, { cause })
    this.#logger.warn({ err: cause }, 'thread did not start')
    this.#failures.failed(error)
    if (again) {
      this.#openLane()
      return
    }
    this.#readyWaits.settle(error)
    if (this.#lanes.size === 0) this.#failQueue(error)
  }

  #failQueue({ message, cause }: CallError): void {
    for (let job = this.#source.take(); job; job = this.#source.take()) {
      const { fn } = job
      this.listener.ended(job, { type: 'failed', error: new CallError('SPAWN_FAILED', message, { fn, cause }) })
    }
  }

  /** Piscina does not say when a thread dies before it could take its first task, so threads and tasks are counted. */
  #threadLost(error: Error | undefined): void {
    if (this.#isClosed) return
    const lanes = [...this.#lanes]
    const opening = lanes.filter(({ state }) => state === 'opening')
    const serving = lanes.filter(({ state, threadId }) => state === 'open' && this.#pool.threadOf(threadId))
    const without = opening.length - (this.#pool.size - serving.length)
    const wasExpected = error === undefined && this.#expectedLosses > 0
    if (wasExpected) this.#expectedLosses -= 1
    for (const lane of opening.slice(0, Math.max(0, without))) {
      if (wasExpected) this.#openAgain(lane)
      else this.#startFailed(lane, error ?? new Error('the thread ended before it was ready'), { hasThread: false })
    }
  }

  /** It waited for a thread that was ended for another lane. */
  #openAgain(lane: Lane<J>): void {
    this.#lanes.delete(lane)
    lane.terminate(false)
    this.#openLane()
  }

  // From time to time

  #planLook(): void {
    if (this.#look) return
    const others = this.#source.size > 0
    let pause = Infinity
    for (const lane of this.#lanes) {
      if (!others && !lane.isCrowded) continue
      if (lane.isStalled) pause = Math.min(pause, LOOK_AT_STALLED_EVERY)
      else if (lane.inFlight > 0) pause = LOOK_EVERY
    }
    if (pause < Infinity) this.#look = this.#clock.setTimeout(() => this.#lookForStalls(), pause, { ref: false })
  }

  /** A call that takes much longer than others of its function must not hold up what was sent behind it. */
  #lookForStalls(): void {
    this.#look = undefined
    const others = this.#source.size > 0
    for (const lane of this.#lanes) {
      if (lane.lookForHeadway(others)) continue
      this.#logger.warn({ threadId: lane.threadId }, 'thread killed: something that a call left behind holds it up')
      this.#replace(lane)
    }
    if (this.#source.size > 0) this.wake()
    else this.#planLook()
  }

  #planSweep(): void {
    this.#sweep ??= this.#clock.setTimeout(() => this.#closeIdleLanes(), LINGER, { ref: false })
  }

  /** A lane keeps the process alive and its thread from ending; one without jobs is to do neither. */
  #closeIdleLanes(): void {
    this.#sweep = undefined
    // Those that are ready wait for those that are not yet.
    if (!this.#readyWaits.isEmpty) return this.#planSweep()
    for (const lane of this.#lanes) {
      if (lane.openFor >= HEALTHY_AFTER) this.#failures.succeeded()
      if (lane.state !== 'open' || lane.idleFor < LINGER) continue
      this.#lanes.delete(lane)
      this.#logger.debug({ threadId: lane.threadId }, 'thread idle')
      lane.close()
    }
    if (this.#lanes.size > 0) this.#planSweep()
  }
}

/** Ends a lane politely, if it has been opened. */
async function endOf<J extends Job>(lane: Lane<J>): Promise<void> {
  if (lane.state === 'opening') return
  lane.close()
  await lane.gone
}
