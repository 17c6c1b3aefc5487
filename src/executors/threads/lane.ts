import { MessageChannel, type Transferable, type Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../model/clock.ts'
import type { CallError } from '../../model/errors.ts'
import type { EncodedError } from '../../protocol/encoded-error.ts'
import { LaneMemory } from '../../protocol/lane-memory.ts'
import { LanePort } from '../../protocol/lane-port.ts'
import { type AbortCause, type FromHost, type LaneTask, type ResultKind, type ToHost } from '../../protocol/messages.ts'
import type { Job, JobEnd, JobListener, JobTimes } from '../executor.ts'
import { Headway } from './headway.ts'
import { argumentNotCloneable, endOf, isOutOfMemory, threadLost } from './job-ends.ts'
import { LaneSlots, type LanePlace } from './lane-slots.ts'
import { Outbox } from './outbox.ts'
import { isConvicted, isSuspect, suspect } from './suspects.ts'

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
  wasForJob: boolean
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

type Report = FromHost & { type: 'progress' | 'log' }

/** One thread that serves calls over one port, seen from the runner. */
export class Lane<J extends Job> {
  state: 'opening' | 'open' | 'over' = 'opening'
  threadId = 0

  readonly #owner: LaneOwner<J>
  readonly #clock: Clock
  readonly #concurrency: number
  readonly #port: LanePort<FromHost, ToHost>
  readonly #memory = new LaneMemory()
  readonly #end = new AbortController()
  readonly #threadOf: LaneParts<J>['threadOf']
  readonly #slots: LaneSlots<J> = new LaneSlots(this, this.#memory)
  readonly #outbox = new Outbox<J>({
    memory: this.#memory,
    slots: this.#slots,
    send: (message, transfer) => this.#send(message, transfer),
    refuse: (job, error) => this.#refuse(job, error),
  })
  readonly #headway = new Headway()
  readonly #killed = new Set<J>()
  readonly #whenGone = Promise.withResolvers<void>()

  /** Jobs that were sent, but for those that were taken back; a counter of 32 bits, as that of those begun. */
  #sent = 0
  /** Jobs that have ended after they had begun; counts as those do. */
  #ended = 0
  /** Reports that were heard; a counter of 32 bits. */
  #heard = 0
  #acknowledged = 0
  #openedAt = 0
  #giveUp: Timer | undefined
  /** The last job that was sent here alone, so that it is nobody else's risk. */
  #suspect: J | undefined
  #isGone = false
  #isServed = true
  #idleSince: number
  #functions: readonly string[] = []
  #thread: Worker | undefined
  #exitCode: number | undefined
  /** Why a message could not be unpacked: what it told is lost. */
  #unread: unknown
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
    const receive = (message: FromHost): void => {
      this.#receive(message)
      this.#acknowledge()
    }
    this.#port.listen(receive, (error) => {
      this.#unread = error
      this.terminate()
    })
    const task: LaneTask = { port: port2, memory: this.#memory.buffer, functions, concurrency, logLevel }
    const served = serve(task, this.#end.signal).then(
      () => undefined,
      (error: unknown) => {
        this.#isServed = false
        this.#giveUp ??= clock.setTimeout(() => this.#gone(error), END_WITHIN, { ref: false })
        return error
      },
    )
    // The port closes after the last message was received: what the thread told before it died counts.
    void Promise.all([served, this.#port.closed]).then(([error]) => this.#gone(error))
  }

  // What the executor chooses by

  /** Jobs that were sent and have not ended. */
  get inFlight(): number {
    return this.#slots.size
  }

  get hasSeat(): boolean {
    return this.inFlight < this.#concurrency
  }

  /** Whether jobs were sent here that have to wait for others. */
  get hasAhead(): boolean {
    return this.inFlight > this.#concurrency
  }

  /** Whether there is no room for another job: all slots are taken, or one job is to be alone. */
  get isFull(): boolean {
    return this.#slots.isFull || (this.#suspect !== undefined && this.#slots.placeOf(this.#suspect) !== undefined)
  }

  /** The lane made no headway at the last look, so nothing is to be sent to it for a while. */
  get isStalled(): boolean {
    return this.#headway.isStalled
  }

  /** Whether there are jobs that have not begun, or have ended and were not told: not all of them are running. */
  get isCrowded(): boolean {
    return this.hasAhead || this.#sent !== this.#memory.begun
  }

  /** Microseconds until a job that is sent now would begin, as far as is known. */
  get expectedWait(): number {
    if (this.isStalled) return Infinity
    if (this.hasSeat) return 0
    return this.#slots.load / this.#concurrency
  }

  /** Microseconds that each of the jobs is expected to take; `Infinity` if of one that is not known, or there are none. */
  get loadPerJob(): number {
    return this.inFlight === 0 ? Infinity : this.#slots.load / this.inFlight
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

  /** Whether the runner looks for results by itself. Whoever says no is to hear them once more. */
  set isWatched(isWatched: boolean) {
    this.#memory.runnerLooks = isWatched
  }

  /** Whether the job can go along with those that wait for the next `post`. If it can, `add` is to follow. */
  admits(job: J): boolean {
    return this.#outbox.admits(job)
  }

  /** Takes a job for the next `post`. @param estimate microseconds it will run, if known. */
  add(job: J, estimate: number | undefined): void {
    if (this.inFlight === 0) this.#headway.begin(this.#clock.now())
    this.#sent = (this.#sent + 1) | 0
    if (isSuspect(job)) this.#suspect = job
    this.#outbox.add(job, this.#slots.add(job, estimate), this.#owner.listener.wantsStarted)
  }

  /** Sends the jobs that were added. */
  post(): void {
    this.#outbox.post()
  }

  #refuse(job: J, error: unknown): void {
    this.revoke(job)
    this.#owner.jobEnded(job, { type: 'failed', error: argumentNotCloneable(job, error) })
  }

  /** Takes back a job that has not begun. False when it has. */
  revoke(job: J): boolean {
    const place = this.#slots.placeOf(job)
    if (!place || !this.#memory.revoke(place.slot, place.generation)) return false
    this.#sent = (this.#sent - 1) | 0
    this.#release(place)
    return true
  }

  /** Puts back all jobs that have not begun. */
  revokeAhead(): void {
    for (const job of this.#slots) {
      // What was moved to the thread cannot be sent again.
      if (!job.transfer && this.revoke(job)) this.#owner.putBack(job)
    }
  }

  interrupt(job: J, reason: AbortCause): void {
    const place = this.#slots.placeOf(job)
    if (!place) return
    const { slot, generation } = place
    this.#memory.abort(slot, generation)
    this.#send({ type: 'abort', slot, generation, reason })
  }

  /** Ends the thread that a job runs on. False when the job had ended before. */
  kill(job: J): boolean {
    // From here on nobody else begins there: what runs now is this job, or it has ended.
    this.revokeAhead()
    this.hear()
    if (!this.#slots.placeOf(job)) return false
    this.#killed.add(job)
    this.terminate()
    return true
  }

  // The lane

  /** Hears what has arrived and was not heard yet: jobs have ended, whether that was told or not. */
  hear(): void {
    for (let message = this.#port.take(); message; message = this.#port.take()) this.#receive(message)
    this.hearResults()
    // Not before: a thread that reports without a pause would find an open ear without an end.
    this.#acknowledge()
  }

  /** Hears of the ends that the thread has left in shared memory. False when there are none. */
  hearResults(): boolean {
    const { results } = this.#memory
    if (results.isEmpty) return false
    const ended: Ended<J>[] = []
    for (let result = results.take(); result; result = results.take()) {
      const { slot, generation, kind, value } = result
      const job = this.#slots.jobAt(slot, generation)
      if (job) ended.push(this.#take(job, slot, kind as ResultKind, value))
    }
    this.#tellEnds(ended)
    return true
  }

  #acknowledge(): void {
    if (this.#heard === this.#acknowledged) return
    this.#acknowledged = this.#heard
    this.#memory.heard = this.#heard
  }

  /**
   * Marks the lane as stalled if it has made no headway since the last look, and puts back what has not begun there.
   * False when its thread is past hope, and was ended.
   *
   * @param others whether jobs wait for a lane.
   */
  lookForHeadway(others: boolean): boolean {
    this.hear()
    const state = this.#headway.look({
      now: this.#clock.now(),
      begun: this.#memory.begun,
      ended: this.#ended,
      received: this.#memory.received,
      jobs: this.#slots,
      isEmpty: this.inFlight === 0,
      isWanted: others || this.isCrowded,
      longest: this.#slots.longest / 1_000,
    })
    if (state === 'moves') return true
    if (state === 'hung') this.terminate()
    else this.revokeAhead()
    return state !== 'hung'
  }

  /** Lets the thread go on to other lanes, when it has written out what its functions printed. There must be no jobs. */
  close(): void {
    this.state = 'over'
    this.#giveUp ??= this.#clock.setTimeout(() => this.terminate(), END_WITHIN, { ref: false })
    this.#send({ type: 'close' })
  }

  /** Ends the thread, whatever it does. @param hasThread whether there is one, as far as the caller knows. */
  terminate(hasThread = true): void {
    if (this.#end.signal.aborted) return
    this.state = 'over'
    // Piscina does not look whether it has said that it failed.
    if (!this.#isServed) return
    if (hasThread && !this.#isGone) this.#owner.laneTerminated()
    this.revokeAhead()
    this.#giveUp?.clear()
    this.#giveUp = this.#clock.setTimeout(() => this.#gone(undefined), END_WITHIN, { ref: false })
    this.#end.abort()
  }

  #send(message: ToHost, transfer: readonly Transferable[] = []): void {
    this.#port.post(message, transfer)
    this.#memory.countPosted()
    this.#memory.wake()
  }

  #receive(message: FromHost): void {
    // They were left before: a call's result is not, while it has reports that were not heard.
    this.hearResults()
    switch (message.type) {
      case 'look':
        return
      case 'result': {
        const job = this.#slots.jobAt(message.slot, message.generation)
        if (job) this.#tellEnds([this.#take(job, message.slot, message.kind, message.value)])
        return
      }
      case 'ready':
        return this.#receiveReady(message.threadId, message.functions)
      case 'failed':
        return this.#owner.laneFailed(this, message.error)
      case 'started': {
        const job = this.#slots.jobAt(message.slot, message.generation)
        if (job) this.#owner.listener.started(job)
        return
      }
      default:
        return this.#receiveReport(message)
    }
  }

  #receiveReport(report: Report): void {
    this.#heard = (this.#heard + 1) | 0
    const job = this.#slots.jobAt(report.slot, report.generation)
    if (!job) return
    if (report.type === 'progress') this.#owner.listener.progress(job, report.value)
    else this.#owner.listener.log(job, report.level, report.args)
  }

  #receiveReady(threadId: number, functions: string[]): void {
    this.threadId = threadId
    this.#functions = functions
    this.#outbox.functions = functions
    this.#thread = this.#threadOf(threadId)?.once('exit', this.#onExit)
    if (this.state !== 'opening') return
    this.state = 'open'
    this.#openedAt = this.#clock.now()
    this.#owner.laneReady(this, functions)
  }

  /** All of them are out of the lane: whoever hears of one end may ask about another. */
  #tellEnds(ended: readonly Ended<J>[]): void {
    this.#headway.moved()
    for (const { job, end, times } of ended) this.#owner.jobEnded(job, end, times)
    this.#owner.laneHasRoom()
  }

  /** Takes a job that has ended out of the lane. */
  #take(job: J, slot: number, kind: ResultKind, value: unknown): Ended<J> {
    const { threadId: cpid } = this
    const times = { cpid, startedAt: this.#memory.startedAt(slot), endedAt: this.#memory.endedAt(slot) }
    const place = this.#slots.placeOf(job)
    if (place) this.#release(place)
    this.#ended = (this.#ended + 1) | 0
    return { job, end: endOf(job, kind, value, this.#functions), times }
  }

  #release(place: LanePlace<J>): void {
    this.#slots.free(place)
    if (this.inFlight === 0) this.#idleSince = this.#clock.now()
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
    this.hearResults()
    const wasForJob = isOutOfMemory(error) && this.#memory.begun === this.#ended && this.#suspectAll(error)
    this.revokeAhead()
    this.#whenGone.resolve()
    const lost = [...this.#slots]
    for (const job of lost) this.#lose(job, error)
    this.#owner.laneGone(this, { error, wasForJob: wasForJob || lost.length > 0, openFor })
  }

  /** The thread has run out of memory while it unpacked its jobs. One that does so each time is ended. */
  #suspectAll(error: unknown): boolean {
    const jobs = [...this.#slots]
    for (const job of jobs) {
      suspect(job)
      if (isConvicted(job)) this.#lose(job, error)
    }
    return jobs.length > 0
  }

  #lose(job: J, error: unknown): void {
    const place = this.#slots.placeOf(job)
    if (!place) return
    const hadBegun = !this.revoke(job)
    const startedAt = this.#memory.startedAt(place.slot)
    if (hadBegun) this.#release(place)
    if (!hadBegun) this.#owner.jobEnded(job, { type: 'failed', error: this.#lossOf(job, error, 'no') })
    else {
      const end: JobEnd = this.#killed.has(job)
        ? { type: 'killed' }
        : { type: 'failed', error: this.#lossOf(job, error, 'yes') }
      this.#owner.jobEnded(job, end, { cpid: this.threadId, startedAt, endedAt: this.#clock.now() })
    }
  }

  #lossOf(job: J, error: unknown, started: 'no' | 'yes'): CallError {
    return threadLost(
      job,
      { error: this.#unread ?? error, exitCode: this.#exitCode, wasKilled: this.#killed.size > 0 },
      started,
    )
  }
}
