import { MessageChannel, type Transferable, type Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../model/clock.ts'
import { CallError, functionNotFound } from '../../model/errors.ts'
import { CommonParts } from '../../protocol/common-parts.ts'
import { decodeError, textOf, type EncodedError } from '../../protocol/encoded-error.ts'
import { LaneMemory, SLOTS } from '../../protocol/lane-memory.ts'
import { LanePort } from '../../protocol/lane-port.ts'
import {
  CALL_FIELDS,
  MAY_BE_SLOW,
  NOT_CLONEABLE,
  NOT_FOUND,
  RESULT_FIELDS,
  RETURNED,
  SHELVED,
  TELL_START,
  type AbortCause,
  type FromHost,
  type LaneTask,
  type ResultKind,
  type ToHost,
} from '../../protocol/messages.ts'
import type { Job, JobEnd, JobListener, JobTimes, Place } from '../executor.ts'

/** What a lane tells the executor whose it is. */
export interface LaneOwner<J extends Job> {
  readonly listener: JobListener<J>
  laneReady(lane: Lane<J>, functions: string[]): void
  /** The functions module could not be loaded. */
  laneFailed(lane: Lane<J>, error: EncodedError): void
  jobEnded(job: J, end: JobEnd, times?: JobTimes): void
  /** Some of the lane's jobs have ended: there is room again. */
  laneHasRoom(): void
  /** The lane ends its thread. */
  laneTerminated(): void
  /** The lane's thread is gone, and its jobs with it: those that had not begun were put back. */
  laneGone(lane: Lane<J>, end: LaneEnd): void
  putBack(job: J): void
}

/** How a lane's thread was lost. */
export interface LaneEnd {
  error: unknown
  /** Whether it went down with a call, rather than by itself. */
  hadBegun: boolean
  openFor: number
}

interface Ended<J extends Job> {
  job: J
  end: JobEnd
  times: JobTimes
}

export interface LaneParts<J extends Job> {
  owner: LaneOwner<J>
  clock: Clock
  concurrency: number
  functions: string
  logLevel: LaneTask['logLevel']
  /** Serves the lane on a thread; settles when the thread has let go of it. The signal ends the thread. */
  serve: (task: LaneTask, signal: AbortSignal) => Promise<void>
  threadOf: (threadId: number) => Worker | undefined
}

/**
 * Milliseconds after which the jobs of a thread that was killed are given up, although it has not ended: native code can
 * hold up a thread's end for ever, but nothing that it does reaches anybody any more.
 */
const END_WITHIN = 1_000

/** Milliseconds after which a lane that made no headway is tried again. */
const STALLED_FOR = 50

/** Milliseconds without headway after which a thread in which no call runs is taken to be held up. */
const RESTING_FOR = 50

/** How often jobs were taken back from threads in which no call ran. */
const takenBack = new WeakMap<Job, number>()

/** Calls that take longer, in microseconds, are told of as ones that others must not wait for. */
const SLOW = 100

/** One thread that serves calls over one port, seen from the runner. */
export class Lane<J extends Job> {
  state: 'opening' | 'open' | 'over' = 'opening'
  /** Jobs that were sent and have not ended. */
  inFlight = 0
  /** The lane made no headway at the last look, so nothing is sent to it for a while. */
  isStalled = false
  threadId = 0

  readonly #owner: LaneOwner<J>
  readonly #clock: Clock
  readonly #concurrency: number
  readonly #port: LanePort<FromHost, ToHost>
  readonly #memory = new LaneMemory()
  readonly #end = new AbortController()
  readonly #threadOf: LaneParts<J>['threadOf']
  readonly #jobs: (J | undefined)[] = []
  readonly #generations: number[] = []
  /** Slots that were used and are free again; `#jobs.length` is the next that was never used. */
  readonly #freeSlots: number[] = []
  readonly #killed = new Set<J>()
  readonly #whenGone = Promise.withResolvers<void>()

  #outbox: unknown[] = []
  #outboxHasTransfer = false
  readonly #outboxParts = new CommonParts()
  /** Microseconds that the jobs in flight are expected to take, and the jobs of which that is not known. */
  #load = 0
  #unknown = 0
  /** Jobs that were sent, but for those that were taken back; a counter of 32 bits, as that of those begun. */
  #sent = 0
  /** Jobs that have ended after they had begun; counts as those do. */
  #ended = 0
  #begunAtLastLook = 0
  #endedSinceLastLook = 0
  #stalledUntil = 0
  #movedAt = 0
  #openedAt = 0
  #giveUp: Timer | undefined
  #isGone = false
  #idleSince: number
  #functions: readonly string[] = []
  #thread: Worker | undefined
  #exitCode: number | undefined
  readonly #onExit = (code: number): void => {
    this.#exitCode = code
  }

  constructor({ owner, clock, concurrency, functions, logLevel, serve, threadOf }: LaneParts<J>) {
    this.#owner = owner
    this.#clock = clock
    this.#concurrency = concurrency
    this.#threadOf = threadOf
    this.#idleSince = clock.now()
    const { port1, port2 } = new MessageChannel()
    this.#port = new LanePort(port1)
    this.#port.listen((message) => this.#receive(message))
    const task: LaneTask = { port: port2, memory: this.#memory.buffer, functions, concurrency, logLevel }
    const served = serve(task, this.#end.signal).then(
      () => undefined,
      (error: unknown) => {
        this.#giveUp ??= clock.setTimeout(() => this.#gone(error), END_WITHIN, { ref: false })
        return error
      },
    )
    // The port closes after the last message was received: what the thread told before it died counts.
    void Promise.all([served, this.#port.closed]).then(([error]) => this.#gone(error))
  }

  // What the executor chooses by

  get hasSeat(): boolean {
    return this.inFlight < this.#concurrency
  }

  get isFull(): boolean {
    return this.inFlight === SLOTS
  }

  /** Whether there are jobs that have not begun, or have ended and were not told: not all of them are running. */
  get isCrowded(): boolean {
    return this.inFlight > this.#concurrency || this.#sent !== this.#memory.begun
  }

  /** Microseconds until a job that is sent now would begin, as far as is known. */
  get expectedWait(): number {
    if (this.isStalled) return Infinity
    if (this.hasSeat) return 0
    return this.#unknown > 0 ? Infinity : this.#load / this.#concurrency
  }

  /** Whether any call has ended here. */
  get hasServed(): boolean {
    return this.#ended !== 0
  }

  /** Milliseconds since the lane was opened. */
  get openFor(): number {
    return this.state === 'opening' ? 0 : this.#clock.now() - this.#openedAt
  }

  /** Resolves when the thread has let go of the lane. */
  get gone(): Promise<void> {
    return this.#whenGone.promise
  }

  /** Milliseconds that the lane has had no jobs. */
  get idleFor(): number {
    return this.inFlight === 0 ? this.#clock.now() - this.#idleSince : 0
  }

  // Jobs

  /** Takes a job for the next `post`. @param estimate microseconds it will run, if known. */
  add(job: J, estimate: number | undefined): void {
    if (!this.#outboxParts.admit(job.args)) {
      this.post()
      this.#outboxParts.admit(job.args)
    }
    const slot = this.#freeSlots.pop() ?? this.#jobs.length
    const generation = this.#memory.offer(slot, this.#generations[slot] ?? 0)
    this.#generations[slot] = generation
    this.#jobs[slot] = job
    job.place = new LanePlace(this, this.#memory, slot, generation, estimate)
    if (this.inFlight === 0) this.#movedAt = this.#clock.now()
    this.inFlight += 1
    this.#sent = (this.#sent + 1) | 0
    if (estimate === undefined) this.#unknown += 1
    else this.#load += estimate

    const flags =
      (this.#owner.listener.wantsStarted ? TELL_START : 0) |
      (estimate === undefined || estimate > SLOW ? MAY_BE_SLOW : 0)
    const abortAfter = job.abortAfter === Infinity ? 0 : job.abortAfter
    this.#outbox.push(slot, generation, flags, job.fn, job.args, abortAfter)
    if (job.transfer) this.#outboxHasTransfer = true
  }

  /** Sends the jobs that were added. */
  post(): void {
    const calls = this.#outbox
    if (calls.length === 0) return
    const transfer = this.#outboxHasTransfer ? this.#transferOf(calls) : []
    this.#outbox = []
    this.#outboxHasTransfer = false
    this.#outboxParts.clear()
    try {
      this.#send({ type: 'run', calls }, transfer)
    } catch (error) {
      this.#postSingly(calls, error)
    }
  }

  /** Takes back a job that has not begun. False when it has. */
  revoke(job: J): boolean {
    const place = this.#placeOf(job)
    if (!place || !this.#memory.revoke(place.slot, place.generation)) return false
    this.#sent = (this.#sent - 1) | 0
    this.#release(place)
    return true
  }

  /** Puts back all jobs that have not begun. */
  revokeAhead(): void {
    for (const job of this.#jobs) {
      // What was moved to the thread cannot be sent again.
      if (job && !job.transfer && this.revoke(job)) this.#owner.putBack(job)
    }
  }

  interrupt(job: J, reason: AbortCause): void {
    const place = this.#placeOf(job)
    if (!place) return
    const { slot, generation } = place
    this.#memory.abort(slot, generation)
    this.#send({ type: 'abort', slot, generation, reason })
  }

  /** Ends the thread that a job runs on. False when the job had ended before. */
  kill(job: J): boolean {
    // From here on nobody else begins there: what runs now is this job, or it has ended.
    this.revokeAhead()
    this.look(job)
    if (!this.#placeOf(job)) return false
    this.#killed.add(job)
    this.terminate()
    return true
  }

  // The lane

  /** Ends the job if it has ended, whether that was told or not. */
  look(job: J): void {
    this.hear()
    this.#fetch(job)
  }

  /** Hears what has arrived and was not heard yet. */
  hear(): void {
    for (let message = this.#port.take(); message; message = this.#port.take()) this.#receive(message)
  }

  /**
   * Marks the lane as stalled if it has made no headway since the last look, and puts back what has not begun there.
   *
   * @param others whether jobs wait for a lane.
   */
  lookForHeadway(others: boolean): void {
    this.hear()
    const now = this.#clock.now()
    if (this.#hasMoved()) {
      this.isStalled = false
      this.#movedAt = now
    } else if (this.isStalled) {
      this.isStalled = now < this.#stalledUntil
    } else if (others || this.isCrowded) {
      // Nothing runs: the thread is asleep, or unpacks what it was sent, or something that a call left behind holds it.
      const isResting = this.#memory.begun === this.#ended
      if (isResting && now - this.#movedAt < this.#patience()) return
      this.isStalled = true
      this.#stalledUntil = now + STALLED_FOR
      this.#fetchShelved()
      if (isResting) this.#countTakenBack()
      this.revokeAhead()
    }
  }

  /** Whether anything has begun or ended since the last look. */
  #hasMoved(): boolean {
    const { begun } = this.#memory
    const hasMoved = begun !== this.#begunAtLastLook || this.#endedSinceLastLook > 0 || this.inFlight === 0
    this.#begunAtLastLook = begun
    this.#endedSinceLastLook = 0
    return hasMoved
  }

  /** The more often a job was taken back from resting threads, the longer it takes to unpack, maybe. */
  #patience(): number {
    const times = this.#jobs.map((job) => (job && takenBack.get(job)) ?? 0)
    return RESTING_FOR * 2 ** Math.max(0, ...times)
  }

  #countTakenBack(): void {
    for (const job of this.#jobs) if (job) takenBack.set(job, (takenBack.get(job) ?? 0) + 1)
  }

  /** Lets the thread go on to other lanes, when it has written out what its functions printed. There must be no jobs. */
  close(): void {
    this.state = 'over'
    this.#giveUp ??= this.#clock.setTimeout(() => this.terminate(), END_WITHIN, { ref: false })
    this.#send({ type: 'close' })
  }

  /** Ends the thread, whatever it does. */
  terminate(): void {
    if (this.#end.signal.aborted) return
    this.state = 'over'
    this.#owner.laneTerminated()
    this.revokeAhead()
    this.#giveUp?.clear()
    this.#giveUp = this.#clock.setTimeout(() => this.#gone(undefined), END_WITHIN, { ref: false })
    this.#end.abort()
  }

  #send(message: ToHost, transfer: readonly Transferable[] = []): void {
    this.#port.post(message, transfer)
    this.#memory.countPosted()
  }

  /** One of them cannot travel, and takes none of the others with it. */
  #postSingly(calls: unknown[], error: unknown): void {
    for (let at = 0; at < calls.length; at += CALL_FIELDS) {
      const [slot, generation] = [calls[at], calls[at + 1]] as [number, number]
      const job = this.#jobOf(slot, generation)
      // Cancelled by somebody who heard of the end of another.
      if (!job) continue
      if (calls.length === CALL_FIELDS) {
        this.revoke(job)
        this.#owner.jobEnded(job, { type: 'failed', error: notCloneable(job, error) })
        continue
      }
      this.#outbox = calls.slice(at, at + CALL_FIELDS)
      this.#outboxHasTransfer = job.transfer !== undefined
      this.post()
    }
  }

  /** What is moved with calls, but for those that were taken back meanwhile. */
  #transferOf(calls: unknown[]): Transferable[] {
    const transfer: Transferable[] = []
    for (let at = 0; at < calls.length; at += CALL_FIELDS) {
      const job = this.#jobOf(calls[at] as number, calls[at + 1] as number)
      if (job?.transfer) transfer.push(...job.transfer)
    }
    return transfer
  }

  #jobOf(slot: number, generation: number): J | undefined {
    return this.#generations[slot] === generation ? this.#jobs[slot] : undefined
  }

  #receive(message: FromHost): void {
    switch (message.type) {
      case 'results':
        return this.#receiveResults(message.results)
      case 'ready':
        return this.#receiveReady(message.threadId, message.functions)
      case 'failed':
        return this.#owner.laneFailed(this, message.error)
      default: {
        const job = this.#jobOf(message.slot, message.generation)
        if (!job) return
        if (message.type === 'started') this.#owner.listener.started(job)
        else if (message.type === 'progress') this.#owner.listener.progress(job, message.value)
        else this.#owner.listener.log(job, message.level, message.args)
      }
    }
  }

  #receiveReady(threadId: number, functions: string[]): void {
    this.threadId = threadId
    this.#functions = functions
    this.#thread = this.#threadOf(threadId)?.once('exit', this.#onExit)
    if (this.state !== 'opening') return
    this.state = 'open'
    this.#openedAt = this.#clock.now()
    this.#owner.laneReady(this, functions)
  }

  #receiveResults(results: unknown[]): void {
    const ended: Ended<J>[] = []
    for (let at = 0; at < results.length; at += RESULT_FIELDS) {
      const [slot, generation] = [results[at], results[at + 1]] as [number, number]
      const job = this.#jobOf(slot, generation)
      // Fetched from the shelf before.
      if (!job) continue
      const shelved = results[at + 2] === SHELVED ? this.#memory.shelved(slot, generation) : undefined
      const [kind, value] = shelved ? [shelved.kind, shelved.value] : [results[at + 2], results[at + 3]]
      ended.push(this.#take(job, slot, kind as ResultKind, value))
    }
    this.isStalled = false
    // Only now that all of them have ended: whoever hears of one end may ask about another.
    for (const { job, end, times } of ended) this.#owner.jobEnded(job, end, times)
    this.#owner.laneHasRoom()
  }

  /** Ends the jobs whose results the thread has left in shared memory, and has not come to tell. */
  #fetchShelved(): void {
    for (const job of this.#jobs) if (job) this.#fetch(job)
  }

  #fetch(job: J): void {
    const shelved = this.#placeOf(job)
    if (!shelved || !this.#memory.shelved(shelved.slot, shelved.generation)) return
    // What its function told before it ended comes first.
    this.hear()
    const place = this.#placeOf(job)
    const result = place && this.#memory.shelved(place.slot, place.generation)
    if (!result) return
    const { end, times } = this.#take(job, place.slot, result.kind as ResultKind, result.value)
    this.#owner.jobEnded(job, end, times)
  }

  /** Takes a job that has ended out of the lane. */
  #take(job: J, slot: number, kind: ResultKind, value: unknown): Ended<J> {
    const { threadId: cpid } = this
    const times = { cpid, startedAt: this.#memory.startedAt(slot), endedAt: this.#memory.endedAt(slot) }
    const place = this.#placeOf(job)
    if (place) this.#release(place)
    this.#endedSinceLastLook += 1
    this.#ended = (this.#ended + 1) | 0
    return { job, end: this.#endOf(job, kind, value), times }
  }

  #release({ slot, estimate }: LanePlace<J>): void {
    const job = this.#jobs[slot]
    if (job) job.place = undefined
    this.#jobs[slot] = undefined
    this.#freeSlots.push(slot)
    this.inFlight -= 1
    if (estimate === undefined) this.#unknown -= 1
    else this.#load -= estimate
    if (this.inFlight > 0) return
    this.#load = 0
    this.#idleSince = this.#clock.now()
  }

  #placeOf(job: J): LanePlace<J> | undefined {
    const { place } = job
    return place instanceof LanePlace && place.lane === this ? place : undefined
  }

  /** The thread is gone: ends the jobs that had begun, and puts the others back. */
  #gone(error: unknown): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#port.close()
    this.#giveUp?.clear()
    this.#thread?.off('exit', this.#onExit)
    const { openFor } = this
    this.state = 'over'
    this.#fetchShelved()
    this.revokeAhead()
    this.#whenGone.resolve()
    const lost = this.#jobs.filter((job) => job !== undefined)
    for (const job of lost) this.#lose(job, error)
    this.#owner.laneGone(this, { error, hadBegun: lost.length > 0, openFor })
  }

  #lose(job: J, error: unknown): void {
    const place = this.#placeOf(job)
    if (!place) return
    const hadBegun = !this.revoke(job)
    const startedAt = this.#memory.startedAt(place.slot)
    if (hadBegun) this.#release(place)
    if (!hadBegun) this.#owner.jobEnded(job, { type: 'failed', error: this.#crash(job, error, 'no') })
    else {
      const end: JobEnd = this.#killed.has(job)
        ? { type: 'killed' }
        : { type: 'failed', error: this.#crash(job, error, 'yes') }
      this.#owner.jobEnded(job, end, { cpid: this.threadId, startedAt, endedAt: this.#clock.now() })
    }
  }

  #endOf({ fn }: J, kind: ResultKind, value: unknown): JobEnd {
    if (kind === RETURNED) return { type: 'returned', value }
    if (kind === NOT_FOUND) return { type: 'failed', error: functionNotFound(fn, this.#functions) }
    const error = value as EncodedError
    if (kind !== NOT_CLONEABLE) return { type: 'threw', error }
    const cause = decodeError(error) as Error
    const details = { fn, started: 'yes', cause } as const
    return { type: 'failed', error: new CallError('NOT_CLONEABLE', `"${fn}": ${cause.message}`, details) }
  }

  #crash({ fn }: J, error: unknown, started: 'no' | 'yes'): CallError {
    // A bystander's error is not that the thread was ended as it should be.
    const cause = error === undefined || this.#killed.size > 0 ? {} : { cause: error }
    const { code } = (error ?? {}) as { code?: unknown }
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
      const message = `the thread of "${fn}" ran out of memory: raise threads.resourceLimits, or use less`
      return new CallError('OUT_OF_MEMORY', message, { fn, started, ...cause })
    }
    const why = this.#killed.size > 0 ? 'was killed for another call in it' : describe(error, this.#exitCode)
    const retryable = started === 'no'
    const details = { fn, started, retryable, exitCode: this.#exitCode, ...cause }
    return new CallError('WORKER_CRASHED', `the thread of "${fn}" ${why}`, details)
  }
}

/** Where a job is in a lane. */
class LanePlace<J extends Job> implements Place {
  readonly lane: Lane<J>
  readonly slot: number
  readonly generation: number
  readonly estimate: number | undefined
  readonly #memory: LaneMemory

  constructor(lane: Lane<J>, memory: LaneMemory, slot: number, generation: number, estimate: number | undefined) {
    this.lane = lane
    this.#memory = memory
    this.slot = slot
    this.generation = generation
    this.estimate = estimate
  }

  get cpid(): number {
    return this.lane.threadId
  }

  get startedAt(): number | undefined {
    const { slot, generation } = this
    return this.#memory.isClaimed(slot, generation) ? this.#memory.startedAt(slot) : undefined
  }
}

/** The lane that a job was sent to. */
export function laneOf<J extends Job>({ place }: J): Lane<J> | undefined {
  return place instanceof LanePlace ? place.lane : undefined
}

function notCloneable({ fn }: Job, error: unknown): CallError {
  const message = `args of "${fn}" cannot travel between threads: ${textOf(error)}`
  return new CallError('NOT_CLONEABLE', message, { fn, cause: error })
}

function describe(error: unknown, exitCode: number | undefined): string {
  const status = exitCode === undefined ? '' : ` with exit code ${exitCode}`
  return error instanceof Error ? `ended${status}: ${error.message}` : `ended${status}`
}
