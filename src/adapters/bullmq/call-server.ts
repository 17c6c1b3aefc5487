import { DelayedError, WaitingError, type Job } from 'bullmq'
import { monotonicNow, systemClock } from '../../model/clock.ts'
import { CallError } from '../../model/errors.ts'
import type { CallFinished, CallProgress, CallStarted } from '../../model/events.ts'
import type { Runner } from '../../model/runner.ts'
import type { CallStatus } from '../../model/status.ts'
import { textOf } from '../../protocol/encoded-error.ts'
import { decodeReason } from './cancels.ts'
import { readArgs, readLimits, type JobData } from './job-data.ts'
import { lostCall, type Returned } from './job-ends.ts'
import { failJob, returnValue, timesOf } from './served-ends.ts'
import { writeProgress } from './job-values.ts'
import { ServedCall } from './served-call.ts'
import type { CancelWord, ServedStore } from './served-store.ts'
import type { ServerClock } from './server-clock.ts'

export interface CallServerParts {
  runner: Runner
  store: ServedStore
  clock: ServerClock
  lockDuration: number
  valueLimit: number
  /** Told that the runner takes no more calls. */
  onRunnerClosed: () => void
  onTrouble: (error: unknown) => void
}

/** Milliseconds after which the queue is told that a call has begun. Most have ended before that. */
const BEGUN_AFTER = 2

/** Milliseconds for which the runner keeps an outcome that is about to be read. */
const READ_WITHIN = 600_000

/** Why a call is killed that other machines can have. */
const LOST = 'its lock in the queue was lost'

/** Milliseconds after which a call is tried again that the runner had no room for. */
const NO_ROOM = 1_000

/** Runs the calls that this machine takes from a queue, each on the runner of this machine. */
export class CallServer {
  readonly #parts: CallServerParts
  /** By job ID, and by the ID that a call has with the runner. */
  readonly #calls = new Map<string, ServedCall>()
  readonly #byId = new Map<string, ServedCall>()
  /** How calls are to end because this machine stops to serve. */
  #abort: { reason: string; grace: number | undefined } | undefined

  constructor(parts: CallServerParts) {
    this.#parts = parts
    const { runner } = parts
    runner.on('started', this.#onStarted)
    runner.on('progress', this.#onProgress)
    runner.on('finished', this.#onFinished)
  }

  /** Takes a job's call to its end. What it throws fails the job, or says where it went. */
  async serve(job: Job<JobData>, token: string): Promise<Returned> {
    const call = new ServedCall(job, token, this.#parts.lockDuration)
    this.#calls.set(call.jobId, call)
    try {
      if (job.attemptsStarted > 1) await this.#checkTakenBefore(call)
      const status = await this.#run(call)
      return await this.#finish(call, status)
    } finally {
      call.begunTimer?.clear()
      this.#calls.delete(call.jobId)
      if (call.id !== undefined) this.#byId.delete(call.id)
    }
  }

  /** The locks of these jobs were renewed at this time of the monotonic clock. */
  renewed(jobIds: readonly string[], askedAt: number): void {
    for (const jobId of jobIds) {
      const call = this.#calls.get(jobId)
      if (!call) continue
      call.leaseUntil = askedAt + this.#parts.lockDuration
      // Word of a cancel can have been missed.
      this.#parts.store.word(jobId).then(({ cancel }) => {
        if (cancel) this.cancel(jobId, cancel)
      }, this.#parts.onTrouble)
    }
  }

  /** Kills calls that other machines can have now. */
  lost(jobIds: readonly string[]): void {
    for (const jobId of jobIds) {
      const call = this.#calls.get(jobId)
      if (!call || call.isLost) continue
      call.isLost = true
      this.#cancel(call, LOST, 0)
    }
  }

  /** Kills the calls whose locks could not be renewed in time. Whether anybody has taken them, only Redis knows. */
  loseLate(): void {
    const now = monotonicNow()
    this.lost([...this.#calls.values()].flatMap(({ jobId, leaseUntil }) => (leaseUntil <= now ? [jobId] : [])))
  }

  cancel(jobId: string, word: CancelWord): void {
    const call = this.#calls.get(jobId)
    if (!call) return
    if (call.id === undefined) call.cancel = word
    else this.#cancel(call, decodeReason(word.reason), word.grace)
  }

  /** Aborts all calls because this machine stops to serve. */
  abortAll(reason: string, grace: number | undefined): void {
    this.#abort = { reason, grace }
    for (const call of this.#calls.values()) this.#cancel(call, reason, grace)
  }

  detach(): void {
    const { runner } = this.#parts
    runner.off('started', this.#onStarted)
    runner.off('progress', this.#onProgress)
    runner.off('finished', this.#onFinished)
  }

  /** A call that was taken before: its machine died with it, or gave it back. */
  async #checkTakenBefore(call: ServedCall): Promise<void> {
    const { job, jobId } = call
    const { returned, cancel } = await this.#parts.store.word(jobId)
    call.returned = returned
    const begun = job.attemptsStarted - 1 - returned
    if (begun >= job.data.starts) {
      const times = begun === 1 ? 'once' : `${begun} times`
      const why = `the machine that ran it is gone, or lost its lock on it, and it may not begin again (it has begun ${times})`
      throw await this.#failure(call, lostCall(job.name, why))
    }
    if (!cancel) return
    const message = `call of "${job.name}" was cancelled before it was taken up again`
    const started = begun > 0 ? 'unknown' : 'no'
    const cause = decodeReason(cancel.reason)
    throw await this.#failure(
      call,
      new CallError('ABORTED', message, {
        fn: job.name,
        started,
        step: 'queued',
        ...(cause !== undefined && { cause }),
      }),
    )
  }

  async #run(call: ServedCall): Promise<CallStatus> {
    const { runner, clock } = this.#parts
    const { job } = call
    // It was on its way here.
    if (this.#abort) return this.#goBack(call, true)
    call.takenAt = clock.now()
    let id: NonNullable<ServedCall['id']>
    try {
      const options = { timeout: 0, retain: READ_WITHIN, ...readLimits(job.data) } as const
      ;({ id } = await runner.start(job.name, readArgs(job.data), options))
    } catch (error) {
      throw await this.#refused(call, error)
    }
    call.id = id
    this.#byId.set(id, call)
    this.#catchUp(call)
    const status = await runner.wait(id, { timeout: Infinity })
    runner.forget(id).catch(this.#parts.onTrouble)
    return status
  }

  /** Does what was asked of a call while the runner did not have it yet. */
  #catchUp(call: ServedCall): void {
    if (call.isLost) this.#cancel(call, LOST, 0)
    else if (this.#abort) this.#cancel(call, this.#abort.reason, this.#abort.grace)
    else if (call.cancel) this.cancel(call.jobId, call.cancel)
  }

  async #finish(call: ServedCall, status: CallStatus): Promise<Returned> {
    call.begunTimer?.clear()
    if (!status.finished) throw new Error('the runner of this machine answered a wait before the end')
    await call.writing
    const { store, valueLimit, clock } = this.#parts
    const times = timesOf(call, clock.now())
    if (status.ok) return returnValue(call, status.value, times, { store, valueLimit })
    const { error } = status
    if (this.#abort && error.code === 'ABORTED' && this.#mayGoBack(call, error)) {
      return this.#goBack(call, error.step === 'queued')
    }
    throw await failJob(call, error, times, store)
  }

  /** Whether a call that was aborted because this machine stops may run on another one. */
  #mayGoBack({ job, returned }: ServedCall, { step }: CallError): boolean {
    return step === 'queued' || job.attemptsStarted - returned < job.data.starts
  }

  async #goBack(call: ServedCall, hasNotBegun: boolean): Promise<never> {
    if (hasNotBegun) await this.#parts.store.countReturn(call.jobId)
    await call.job.moveToWait(call.token)
    throw new WaitingError()
  }

  /** The runner did not take the call. */
  async #refused(call: ServedCall, error: unknown): Promise<unknown> {
    const { store, onRunnerClosed } = this.#parts
    if (!(error instanceof CallError)) {
      const message = `call of "${call.job.name}" could not be handed to the runner: ${textOf(error)}`
      return this.#failure(call, new CallError('PROTOCOL_ERROR', message, { started: 'no', cause: error }))
    }
    if (error.code === 'RUNNER_CLOSED') {
      onRunnerClosed()
      return this.#goBack(call, true)
    }
    if (error.code !== 'QUEUE_FULL') return this.#failure(call, error)
    await store.countReturn(call.jobId)
    await call.job.moveToDelayed(Date.now() + NO_ROOM, call.token)
    return new DelayedError()
  }

  #failure(call: ServedCall, error: CallError): Promise<Error> {
    return failJob(call, error, timesOf(call, this.#parts.clock.now()), this.#parts.store)
  }

  #cancel({ id }: ServedCall, reason: unknown, grace: number | undefined): void {
    if (id === undefined) return
    const options = { ...(reason !== undefined && { reason }), ...(grace !== undefined && { grace }) }
    this.#parts.runner.cancel(id, options).catch(this.#parts.onTrouble)
  }

  readonly #onStarted = ({ id, queueTime }: CallStarted): void => {
    const call = this.#byId.get(id)
    if (!call) return
    call.startedAt = call.takenAt + queueTime / 1_000
    call.begunTimer = systemClock.setTimeout(() => this.#tellBegun(call), BEGUN_AFTER)
  }

  readonly #onProgress = ({ id, progress }: CallProgress): void => {
    const call = this.#byId.get(id)
    if (!call) return
    this.#tellBegun(call)
    this.#write(call, () => call.job.updateProgress(writeProgress(progress, this.#parts.valueLimit)))
  }

  readonly #onFinished = ({ id, runTime }: CallFinished): void => {
    const call = this.#byId.get(id)
    if (call) call.runTime = runTime
  }

  #tellBegun(call: ServedCall): void {
    if (call.isBegunTold || call.startedAt === undefined) return
    call.isBegunTold = true
    call.begunTimer?.clear()
    const { startedAt, jobId, token } = call
    this.#write(call, () => this.#parts.store.begun(jobId, token, startedAt))
  }

  /** Writes one after another, so that it arrives in order. */
  #write(call: ServedCall, write: () => Promise<void>): void {
    const before = call.writing ?? Promise.resolve()
    call.writing = before.then(write).catch(this.#parts.onTrouble)
  }
}
