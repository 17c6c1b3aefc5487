import type { Clock, Timer } from '../../model/clock.ts'
import { CallError } from '../../model/errors.ts'
import { decodeError, textOf, type EncodedError } from '../../protocol/encoded-error.ts'
import { FrameError } from '../../protocol/frames.ts'
import { encodeLogValue } from '../../protocol/log-values.ts'
import type { AbortCause, LogLevel } from '../../protocol/messages.ts'
import type { FromProcess } from '../../protocol/process-messages.ts'
import { resultTooLarge, startErrorOf } from '../children/endings.ts'
import { SpawnerLost, type ChildExit, type RemoteChild } from '../children/remote-child.ts'
import type { Job, JobEnd, JobListener, JobTimes } from '../executor.ts'
import type { RunnerLogger } from '../runner-logger.ts'
import { FunctionChild, type FunctionChildListener } from './function-child.ts'
import type { TellLine } from './prints.ts'
import { endOfResult, lossOf, protocolBroken, verdictOn } from './verdict.ts'

/** What a process tells the pool whose it is. */
export interface ProcessOwner<J extends Job> {
  readonly listener: JobListener<J>
  processReady(process: FunctionProcess<J>, functions: string[]): void
  /** It could not be made ready. */
  processFailed(process: FunctionProcess<J>, cause: unknown): void
  /** It was lost with its spawner before it was of use, which says little of whether another one could be made ready. */
  processLost(process: FunctionProcess<J>, cause: SpawnerLost): void
  jobEnded(job: J, end: JobEnd, times?: JobTimes): void
  /** It ended before the job's function had begun, `why` says how: another process may run the job. */
  jobReturned(job: J, why: CallError): void
  /** Its call has ended, and it can take another. */
  processIdle(process: FunctionProcess<J>): void
  /** It takes no more calls, and is ending. */
  processOver(process: FunctionProcess<J>): void
}

export interface FunctionProcessParts<J extends Job> {
  owner: ProcessOwner<J>
  clock: Clock
  logger: RunnerLogger
  spawn: () => Promise<RemoteChild>
  /** The functions module. */
  functions: string
  logLevel: LogLevel | 'silent'
  /** Bytes that a result may have. */
  resultLimit: number
  /** Milliseconds in which it must be ready. */
  startTimeout: number
  /** Calls that it serves. */
  reuse: number
}

/** Milliseconds that a process has to end by itself when nothing is left for it to do. */
const END_WITHIN = 1_000

/** Milliseconds in which a call must begin once its process has been sent it, and bytes that it unpacks in one more. */
const STARTS_WITHIN = 5_000
const UNPACKED_PER_MS = 10_000

/** Milliseconds that a process may live on after it has closed its answers. */
const ANSWERS_ENDED_FOR = 200

/** One child process that runs functions, one call after another. */
export class FunctionProcess<J extends Job> implements FunctionChildListener<J> {
  /**
   * `settling`: its call has ended, and what that printed is about to be read; it will be ready in the next turn.
   * `over`: it takes no more calls.
   */
  state: 'starting' | 'ready' | 'busy' | 'settling' | 'over' = 'starting'
  job: J | undefined
  /** Milliseconds of the monotonic clock. */
  readonly createdAt: number
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>
  readonly #parts: FunctionProcessParts<J>
  readonly #gone = Promise.withResolvers<void>()
  #child: FunctionChild<J> | undefined
  /** Of the call that it runs. */
  #sentAt = 0
  #startedAt: number | undefined
  #served = 0
  #wasKilled = false
  /** It was asked to end, or is killed: its end is no news. */
  #isEnding = false
  #wasAskedToEnd = false
  #protocolError: CallError | undefined
  /** The rule that it breaks if it was alive all the time; the news of its end may only have been late. */
  #wentOn: CallError | undefined
  #uncaught: EncodedError | undefined
  #timer: Timer | undefined
  #giveUp: Timer | undefined
  #functions: readonly string[] = []

  constructor(parts: FunctionProcessParts<J>) {
    this.#parts = parts
    this.createdAt = parts.clock.now()
    this.gone = this.#gone.promise
    this.#later(parts.startTimeout, () => this.#startIsLate())
    void this.#start()
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Whether it will be there for another call when the one it has ends. */
  get returns(): boolean {
    return this.#served < this.#parts.reuse
  }

  /** When the function of its call began; undefined when it has not. */
  get startedAt(): number | undefined {
    return this.#startedAt
  }

  /** Runs a job. It must be ready. */
  run(job: J): void {
    this.state = 'busy'
    this.job = job
    this.#sentAt = this.#parts.clock.now()
    this.#startedAt = undefined
    this.#wasAskedToEnd = false
    this.#uncaught = undefined
    this.#served += 1
    const { fn, args } = job
    const abortAfter = job.abortAfter === Infinity ? 0 : job.abortAfter
    const isLast = !this.returns
    // One that serves many calls is trusted that far too: a call that it has was begun. To be told so would cost as much
    // as a small call.
    const tellsStart = this.#parts.reuse === 1
    const child = this.#child as FunctionChild<J>
    const call = child.beginCall(job)
    try {
      const bytes = child.send({ type: 'run', call, fn, args, abortAfter, isLast, tellsStart })
      if (tellsStart) this.#expectStart(job, STARTS_WITHIN + bytes / UNPACKED_PER_MS)
    } catch (error) {
      this.#refuse(job, error)
      return
    }
    // What was moved with the call is empty on this side, as it would be on threads.
    for (const part of job.transfer ?? []) {
      if (part instanceof ArrayBuffer && !part.detached) structuredClone(part, { transfer: [part] })
    }
    if (!tellsStart) this.#began(job, this.#parts.clock.now())
  }

  interrupt(reason: AbortCause): void {
    if (this.job === undefined) return
    // Even where it is killed already: its job is not to begin elsewhere.
    this.#wasAskedToEnd = true
    if (this.state !== 'busy') return
    this.#child?.send({ type: 'abort', reason })
    this.#child?.signal('SIGTERM')
  }

  /** Ends the process, whatever it does, and its job with it. */
  kill(): void {
    this.#isEnding = true
    this.#over()
    this.#wasKilled = true
    this.#child?.signal('SIGKILL')
    this.#giveUpWithin(END_WITHIN)
  }

  /** Ends a process without a job: asks it first. */
  end(): void {
    this.#isEnding = true
    this.#over()
    this.#child?.signal('SIGTERM')
    this.#child?.endRequests()
    this.#killWithin(END_WITHIN)
  }

  /**
   * Something that the functions module has left running may hold the process up for ever.
   *
   * @param within milliseconds; and as many again while it goes on to read the request.
   */
  #expectStart(job: J, within: number): void {
    const child = this.#child as FunctionChild<J>
    const isPending = (): boolean => this.job === job && this.#startedAt === undefined
    const { unread } = child
    this.#later(within, () => {
      if (!isPending()) return
      if (child.unread < unread) {
        this.#expectStart(job, within)
        return
      }
      this.#condemn()
    })
  }

  /** When it is time. What had arrived by then is heard before: a host that was busy comes to its timers first. */
  #later(ms: number, act: () => void): void {
    this.#timer?.clear()
    this.#timer = this.#parts.clock.setTimeout(() => void setImmediate(act), ms, { ref: false })
  }

  async #start(): Promise<void> {
    const { clock, functions, logLevel, resultLimit, spawn } = this.#parts
    let remote: RemoteChild
    try {
      remote = await spawn()
    } catch (error) {
      this.#timer?.clear()
      this.#gone.resolve()
      if (this.state !== 'over') this.#failed(error)
      return
    }
    const child = (this.#child = new FunctionChild<J>(remote, clock, resultLimit, this))
    void remote.gone.then(() => this.#gone.resolve())
    void child.exited.then((exit) => this.#exited(exit))
    if (this.state === 'over') child.signal('SIGKILL')
    else child.send({ type: 'load', functions, logLevel, resultLimit })
  }

  // What the child tells

  readonly tellLine: TellLine<J> = (job, level, stream, line) => {
    const { owner, logger } = this.#parts
    if (job) owner.listener.log(job, level, [encodeLogValue({ stream }), encodeLogValue(line)])
    else logger[level]({ pid: this.pid, stream }, line)
  }

  /** What follows on a broken rule means nothing, nor does what follows on the last result. */
  get isDeaf(): boolean {
    return this.#protocolError !== undefined || (this.state === 'over' && this.job === undefined)
  }

  receive(message: FromProcess): void {
    const { owner } = this.#parts
    const { job } = this
    switch (message.type) {
      case 'ready':
        return this.#ready(message.functions)
      case 'failed':
        if (this.state !== 'starting') throw new Error('it failed to start, and had started')
        this.end()
        return this.#failed(decodeError(message.error))
      case 'crashed':
        this.#uncaught = message.error
        return
      case 'started':
        if (job && this.#startedAt !== undefined) throw new Error('its call began twice')
        return job && this.#began(job, this.#credible(this.#sentAt, message.at))
      case 'progress':
        return job && owner.listener.progress(job, message.value)
      case 'log':
        return job && owner.listener.log(job, message.level, message.args)
      case 'result':
        if (!job) return
        return this.#ended(endOfResult(message.kind, message.value, job.fn, this.#functions), message.endedAt)
      default: {
        if (!job) return
        const error = resultTooLarge(job.fn, this.#parts.resultLimit, message.bytes)
        return this.#ended({ type: 'failed', error }, message.endedAt)
      }
    }
  }

  misread(error: unknown): void {
    const isTooLarge = error instanceof FrameError && error.kind === 'too-large' && this.job !== undefined
    const fn = this.job?.fn ?? ''
    this.#breaksRules(isTooLarge ? resultTooLarge(fn, this.#parts.resultLimit) : this.#broken(textOf(error), error))
  }

  /** Mostly along with the process, whose end is about to be told. One that goes on is of no use. */
  answersEnded(): void {
    // It can answer no call.
    if (this.state === 'ready' || this.state === 'settling') this.#over()
    const goesOn = (): void => {
      if (this.#child?.hasExited) return
      this.#wentOn = this.#broken('it closed its answers, and went on')
      this.#condemn()
    }
    this.#parts.clock.setTimeout(() => void setImmediate(goesOn), ANSWERS_ENDED_FOR, { ref: false })
  }

  #began(job: J, at: number): void {
    const { listener } = this.#parts.owner
    this.#startedAt = at
    this.#timer?.clear()
    if (listener.wantsStarted) listener.started(job)
  }

  #ready(functions: string[]): void {
    if (this.state !== 'starting') throw new Error('it was ready twice')
    this.#timer?.clear()
    this.#functions = functions
    this.state = 'ready'
    this.#parts.owner.processReady(this, functions)
  }

  #startIsLate(): void {
    if (this.state !== 'starting') return
    const { startTimeout } = this.#parts
    this.kill()
    this.#failed(new Error(`the process was not ready within startTimeout, ${startTimeout} ms`))
  }

  #failed(cause: unknown): void {
    const { owner } = this.#parts
    this.state = 'over'
    if (cause instanceof SpawnerLost) owner.processLost(this, cause)
    else owner.processFailed(this, cause)
  }

  /** @param endedAt as the process has it. */
  #ended(end: JobEnd, endedAt: number): void {
    this.#finish(end, this.#credible(this.#startedAt ?? this.#sentAt, endedAt))
  }

  /** When something was by the process's word, which the call's limits do not rest on: not before `from`, nor to come. */
  #credible(from: number, at: number): number {
    return Math.min(Math.max(from, at), this.#parts.clock.now())
  }

  /** The call has ended: the process takes another, or ends. */
  #finish(end: JobEnd, endedAt: number): void {
    const { job, pid } = this
    if (!job) return
    const startedAt = this.#startedAt
    // One that was asked to end has a signal on its way, which would be the next call's.
    const goesOn = this.returns && this.state === 'busy' && !this.#wasAskedToEnd
    this.job = undefined
    job.place = undefined
    if (goesOn) {
      this.state = 'settling'
      this.#child?.endCall()
    } else this.#over()
    this.#parts.owner.jobEnded(job, end, startedAt === undefined ? undefined : { cpid: pid, startedAt, endedAt })
    if (goesOn) this.#settle()
    else this.#killWithin(END_WITHIN)
  }

  /**
   * What the call printed had arrived along with its result, but may be read after that, in the same turn. Were the next
   * call sent before, nobody could tell what is whose.
   */
  #settle(): void {
    setImmediate(() => {
      if (this.state !== 'settling') return
      this.state = 'ready'
      this.#parts.owner.processIdle(this)
    })
  }

  /** The job did not get out of this process: the other one can take another. */
  #refuse(job: J, error: unknown): void {
    const { owner } = this.#parts
    const message = `args of "${job.fn}" cannot travel between processes: ${textOf(error)}`
    this.#served -= 1
    this.job = undefined
    job.place = undefined
    this.state = 'ready'
    this.#child?.endCall()
    owner.jobEnded(job, {
      type: 'failed',
      error: new CallError('NOT_CLONEABLE', message, { fn: job.fn, cause: error }),
    })
    owner.processIdle(this)
  }

  #over(): void {
    if (this.state === 'over') return
    this.state = 'over'
    this.#parts.owner.processOver(this)
  }

  #killWithin(ms: number): void {
    if (this.#child?.hasExited) return
    this.#giveUp ??= this.#parts.clock.setTimeout(() => this.#child?.signal('SIGKILL'), ms, { ref: false })
  }

  /** What the kernel itself holds up does not hold up the call. */
  #giveUpWithin(ms: number): void {
    this.#giveUp?.clear()
    this.#giveUp = this.#parts.clock.setTimeout(() => this.#loseJob(undefined), ms)
  }

  #exited(exit: ChildExit): void {
    this.#timer?.clear()
    this.#giveUp?.clear()
    this.#over()
    // One that dies before it was of any use would do so again and again.
    if (this.#served === 0 && !this.#isEnding)
      this.#failed(exit.lost ?? this.#brokenRule(exit) ?? this.#startLost(exit))
    this.#loseJob(exit)
  }

  #loseJob(exit: ChildExit | undefined): void {
    const { job } = this
    if (!job) return
    const verdict = verdictOn({
      fn: job.fn,
      exit,
      hasBegun: this.#startedAt !== undefined,
      hasTransfer: job.transfer !== undefined,
      wasKilled: this.#wasKilled,
      wasAskedToEnd: this.#wasAskedToEnd,
      protocolError: this.#brokenRule(exit),
      isCutOff: this.#child?.isCutOff ?? false,
      uncaught: this.#uncaught,
      stderr: this.#child?.stderr,
    })
    if (verdict.type !== 'unbegun') return this.#finish(verdict, this.#parts.clock.now())
    this.job = undefined
    this.#parts.owner.jobReturned(job, verdict.error)
  }

  #startLost(exit: ChildExit): Error {
    const stderr = this.#child?.stderr
    const startError = startErrorOf(this.#child, exit, stderr)
    if (startError) return startError
    const about = { fn: 'the functions module', hasBegun: false, hasTransfer: false }
    return lossOf({ ...about, uncaught: this.#uncaught, stderr }, exit)
  }

  /** What it says means nothing any more. */
  #breaksRules(error: CallError): void {
    this.#protocolError ??= error
    this.#condemn()
  }

  /** It is of no use any more: it takes no other call, and is killed. The call it has did not ask for that. */
  #condemn(): void {
    if (this.state !== 'starting') this.#over()
    this.#child?.signal('SIGKILL')
    if (this.job) this.#giveUpWithin(END_WITHIN)
  }

  #brokenRule(exit: ChildExit | undefined): CallError | undefined {
    const wentOn = exit === undefined || exit.signal === 'SIGKILL'
    return this.#protocolError ?? (wentOn ? this.#wentOn : undefined)
  }

  #broken(why: string, cause?: unknown): CallError {
    const started = this.job && this.#startedAt === undefined ? 'unknown' : undefined
    return protocolBroken({ fn: this.job?.fn, why, started, stderr: this.#child?.stderr, cause })
  }
}
