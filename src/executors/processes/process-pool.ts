import { availableParallelism } from 'node:os'
import type { Clock, Timer } from '../../model/clock.ts'
import { CallError } from '../../model/errors.ts'
import { textOf } from '../../protocol/encoded-error.ts'
import { placeOf } from '../children/attempt.ts'
import type { SpawnerLost } from '../children/remote-child.ts'
import type { Job, JobEnd, JobListener, JobTimes } from '../executor.ts'
import { ReadyWaits } from '../ready-waits.ts'
import { StartFailures } from '../start-failures.ts'
import { FunctionProcess, type ProcessOwner } from './function-process.ts'

/** What a pool tells the executor whose it is. */
export interface PoolOwner<J extends Job> {
  readonly listener: JobListener<J>
  jobEnded(job: J, end: JobEnd, times?: JobTimes): void
  /** @throws TypeError when these are not the functions that were expected. */
  functionsKnown(functions: readonly string[]): void
}

export interface ProcessPoolParts<J extends Job> {
  owner: PoolOwner<J>
  clock: Clock
  /** Processes that are kept ready. */
  spares: number
  /** Idle ones that may be kept beyond those for a while, where processes serve more than one call. */
  reusable: number
  create: (owner: ProcessOwner<J>) => FunctionProcess<J>
  onFailure: (error: CallError) => void
}

/** Failed starts in a row after which calls no longer try for themselves, but wait for the pause to be over. */
const BREAKS_AFTER = 3

/**
 * Spares of one kind that start at once: on half of the processors, so that those on which calls run, or the host, are
 * left alone. Processes for calls that wait are started beside them.
 */
const STARTS_AHEAD = Math.max(1, availableParallelism() >> 1)

/** Milliseconds that processes which serve more than one call are kept after a burst of calls. */
const IDLE_FOR = 10_000

/** The processes of functions that have the same options, ready or about to be, and the jobs that wait for one. */
export class ProcessPool<J extends Job> implements ProcessOwner<J> {
  readonly listener: JobListener<J>
  readonly #parts: ProcessPoolParts<J>
  readonly #failures: StartFailures
  readonly #waiting: J[] = []
  readonly #all = new Set<FunctionProcess<J>>()
  readonly #idle: FunctionProcess<J>[] = []
  /** Those that a process has not begun, though it had them. */
  readonly #returned = new WeakSet<J>()
  readonly #readyWaits = new ReadyWaits()
  #failedAt = -Infinity
  /** Spawners that ended since a process was ready last. */
  #losses = 0
  #lostAt = -Infinity
  #wasReady = false
  #refill: Timer | undefined
  #trim: Timer | undefined
  #isClosed = false

  constructor(parts: ProcessPoolParts<J>) {
    this.#parts = parts
    this.listener = parts.owner.listener
    this.#failures = new StartFailures(parts.clock)
  }

  /** Processes that are there, ending ones too. */
  get size(): number {
    return this.#all.size
  }

  /** Starts what is missing: a process for each job that waits, and the spares. */
  fill(): void {
    if (this.#isClosed) return
    for (let missing = this.#missing; missing > 0; missing--) this.#all.add(this.#parts.create(this))
    if (this.#isPaused && this.#parts.spares > 0) this.#refillLater()
  }

  get #missing(): number {
    const waiting = Math.max(0, this.#waiting.length - this.#count('settling'))
    // Those that come back when their call has ended are as good as ready, and those that get ready for a call will.
    const returning = this.#count('returns') + (this.#parts.reusable > 0 ? waiting : 0)
    const spares = this.#isPaused ? 0 : Math.max(0, this.#parts.spares - this.#idle.length - returning)
    const starting = this.#count('starting')
    return Math.max(waiting - starting, Math.min(waiting + spares, STARTS_AHEAD) - starting)
  }

  get #isPaused(): boolean {
    return this.#failures.reasonToPause !== undefined
  }

  /** Takes a job, whose place is set: it runs as soon as there is a process for it. */
  add(job: J): void {
    // The one that worked last: its code and its memory are warm, and the others may be let go.
    const process = this.#idle.pop()
    if (process) {
      this.#run(process, job)
      return
    }
    const failure = this.#failures.count >= BREAKS_AFTER ? this.#failures.reasonToPause : undefined
    if (failure) {
      this.#fail(job, failure)
      return
    }
    this.#waiting.push(job)
    this.fill()
  }

  /** Takes back a job that waits for a process. False when it is in one. */
  remove(job: J): boolean {
    const at = this.#waiting.indexOf(job)
    if (at < 0) return false
    this.#waiting.splice(at, 1)
    job.place = undefined
    return true
  }

  /**
   * Resolves when as many processes are ready as are to be kept so, and one has been: where none are kept, one is started
   * to see whether it can be. @throws CallError `SPAWN_FAILED`.
   */
  async ready(): Promise<void> {
    const failure = this.#failures.reasonToPause
    if (failure) throw failure
    if (this.#isReady) return
    const isReady = this.#readyWaits.wait()
    this.#fillForReady()
    await isReady
  }

  #fillForReady(): void {
    this.fill()
    const isOnTrial = !this.#wasReady && !this.#readyWaits.isEmpty && !this.#isClosed
    if (isOnTrial && this.#count('starting') === 0) this.#all.add(this.#parts.create(this))
  }

  /** Ends all processes; resolves when nothing is left of them. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#refill?.clear()
    this.#trim?.clear()
    this.#readyWaits.close()
    for (const process of this.#all) if (process.state !== 'over') process.end()
    await Promise.all(Array.from(this.#all, ({ gone }) => gone))
  }

  // From the processes

  processReady(process: FunctionProcess<J>, functions: string[]): void {
    try {
      this.#parts.owner.functionsKnown(functions)
    } catch (error) {
      process.end()
      this.processFailed(process, error)
      return
    }
    this.#failures.succeeded()
    this.#losses = 0
    this.#wasReady = true
    this.processIdle(process)
    this.fill()
  }

  processFailed(process: FunctionProcess<J>, cause: unknown): void {
    this.#forget(process)
    const message = `no process could be made ready: ${cause instanceof Error ? cause.message : textOf(cause)}`
    const error = new CallError('SPAWN_FAILED', message, { cause })
    // Those that were started along with one that failed say nothing new.
    if (process.createdAt > this.#failedAt) {
      this.#failures.failed(error)
      this.#failedAt = this.#parts.clock.now()
    }
    this.#parts.onFailure(error)
    this.#readyWaits.settle(error)
    // Those that are starting still, or about to be idle, may be for the others.
    while (this.#waiting.length > this.#count('starting') + this.#count('settling'))
      this.#fail(this.#waiting.shift() as J, error)
    this.fill()
  }

  /** Whoever waits has not been told anything: another spawner may do better, once. */
  processLost(process: FunctionProcess<J>, cause: SpawnerLost): void {
    // Those that are lost together are one loss.
    if (process.createdAt > this.#lostAt) {
      this.#losses += 1
      this.#lostAt = this.#parts.clock.now()
    }
    if (this.#losses > 1) {
      this.processFailed(process, cause)
      return
    }
    this.#forget(process)
    this.#fillForReady()
  }

  processIdle(process: FunctionProcess<J>): void {
    const job = this.#waiting.shift()
    if (job) this.#run(process, job)
    else if (this.#isClosed || this.#idle.length >= Math.max(this.#parts.spares, this.#parts.reusable)) process.end()
    else this.#idle.push(process)
    if (this.#idle.length > this.#parts.spares) this.#trimLater()
    if (this.#isReady) this.#readyWaits.settle()
  }

  processOver(process: FunctionProcess<J>): void {
    this.#forget(process)
    // It may have been counted on.
    setImmediate(() => this.fill())
  }

  jobEnded(job: J, end: JobEnd, times?: JobTimes): void {
    this.#parts.owner.jobEnded(job, end, times)
  }

  /** Once: a job that ends processes before it begins must not do so for ever. */
  jobReturned(job: J, why: CallError): void {
    const place = placeOf(job)
    // What was moved with it is lost.
    if (!place || this.#returned.has(job) || job.transfer || this.#isClosed) {
      job.place = undefined
      this.jobEnded(job, { type: 'failed', error: why })
      return
    }
    this.#returned.add(job)
    place.attempt = undefined
    const other = this.#idle.pop()
    if (other) {
      this.#run(other, job)
      return
    }
    this.#waiting.unshift(job)
    this.fill()
  }

  get #isReady(): boolean {
    return this.#wasReady && this.#idle.length + this.#count('returns') >= this.#parts.spares
  }

  #forget(process: FunctionProcess<J>): void {
    const at = this.#idle.indexOf(process)
    if (at >= 0) this.#idle.splice(at, 1)
    void process.gone.then(() => this.#all.delete(process))
  }

  #count(which: 'starting' | 'settling' | 'returns'): number {
    let count = 0
    for (const { state, returns } of this.#all) {
      if (which === 'returns' ? returns && (state === 'busy' || state === 'settling') : state === which) count += 1
    }
    return count
  }

  /** Ends idle processes that were kept for a burst of calls. */
  #trimLater(): void {
    this.#trim ??= this.#parts.clock.setTimeout(
      () => {
        this.#trim = undefined
        for (const process of this.#idle.slice(0, Math.max(0, this.#idle.length - this.#parts.spares))) process.end()
      },
      IDLE_FOR,
      { ref: false },
    )
  }

  #run(process: FunctionProcess<J>, job: J): void {
    const place = placeOf(job)
    if (place) place.attempt = process
    process.run(job)
    // After the call was sent, so that it does not wait for that.
    if (this.#missing > 0) setImmediate(() => this.fill())
  }

  #fail(job: J, { message, cause }: CallError): void {
    job.place = undefined
    const { fn } = job
    this.jobEnded(job, { type: 'failed', error: new CallError('SPAWN_FAILED', message, { fn, cause }) })
  }

  #refillLater(): void {
    this.#refill ??= this.#parts.clock.setTimeout(
      () => {
        this.#refill = undefined
        this.fill()
      },
      this.#failures.pauseLeft,
      { ref: false },
    )
  }
}
