import { DelayedError, WaitingError, type Job } from 'bullmq'
import { monotonicNow } from '../../model/clock.ts'
import type { CallId } from '../../model/call-id.ts'
import { CallError } from '../../model/errors.ts'
import type { CallEvent, CallFinished, CallProgress } from '../../model/events.ts'
import type { Runner } from '../../model/runner.ts'
import type { CallStatus, Unfinished } from '../../model/status.ts'
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

/** Milliseconds after which the queue is told that a call has begun. Most have ended before that, and need no ID. */
const BEGUN_AFTER = 10

/** Milliseconds between two looks whether a call that the runner queues has begun, at most. */
const BEGUN_LATE = 250

/** Why a call is killed that other machines can have. */
const LOST = 'its lock in the queue was lost'

/** Milliseconds after which a call is tried again that the runner had no room for. */
const NO_ROOM = 1_000

/** Runs the calls that this machine takes from a queue, each on the runner of this machine. */
export class CallServer {
  readonly #parts: CallServerParts
  readonly #byJob = new WeakMap<Job, ServedCall>()
  /** By job ID, and by the ID that a call has with the runner. */
  readonly #calls = new Map<string, ServedCall>()
  readonly #byId = new Map<string, ServedCall>()
  /** The call that is being handed to the runner. */
  #handed: ServedCall | undefined
  #running = 0
  /** How calls are to end because this machine stops to serve. */
  #abort: { reason: string; grace: number | undefined } | undefined

  constructor(parts: CallServerParts) {
    this.#parts = parts
    const { runner } = parts
    runner.on('queued', this.#onQueued)
    runner.on('progress', this.#onProgress)
    runner.on('finished', this.#onFinished)
  }

  /** Calls that the runner has. */
  get running(): number {
    return this.#running
  }

  /** Begins a job's call as soon as it is taken: before the job is served, the worker asks whether there is another one. */
  taken(job: Job<JobData>): void {
    const call = new ServedCall(job, this.#parts.lockDuration)
    this.#byJob.set(job, call)
    // The worker fails it by itself.
    if (job.deferredFailure !== undefined) return
    // It was taken from this machine, and came back: its former attempt is to be over first.
    if (this.#calls.has(call.jobId)) return this.lost([call.jobId])
    call.served = this.#serve(call)
    // Whoever serves the job hears of it.
    call.served.catch(() => undefined)
  }

  /** Takes a job's call to its end. What it throws fails the job, or says where it went. */
  serve(job: Job<JobData>): Promise<Returned> {
    const call = this.#byJob.get(job) ?? new ServedCall(job, this.#parts.lockDuration)
    return call.served ?? this.#serve(call)
  }

  /** The locks of these jobs were renewed at this time of the monotonic clock. */
  renewed(jobIds: readonly string[], askedAt: number): void {
    for (const jobId of jobIds) {
      const call = this.#calls.get(jobId)
      if (!call) continue
      call.leaseUntil = askedAt + this.#parts.lockDuration
      // Word of a cancel can have been missed.
      const asked = this.#parts.store.word(jobId).then(({ cancel }) => {
        if (cancel) this.cancel(jobId, cancel)
      })
      asked.catch(this.#parts.onTrouble)
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

  /**
   * Kills the calls whose locks could not be renewed in time. Whether anybody has taken them, only Redis knows.
   *
   * @param soon milliseconds: a lock that is over by then is over now, as the next look and the kill take time.
   */
  loseLate(soon: number): void {
    const over = monotonicNow() + soon
    this.lost([...this.#calls.values()].flatMap(({ jobId, leaseUntil }) => (leaseUntil <= over ? [jobId] : [])))
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
    runner.off('queued', this.#onQueued)
    runner.off('progress', this.#onProgress)
    runner.off('finished', this.#onFinished)
  }

  async #serve(call: ServedCall): Promise<Returned> {
    this.#calls.set(call.jobId, call)
    try {
      if (call.job.attemptsStarted > 1) await this.#checkTakenBefore(call)
      if (call.leaseUntil <= monotonicNow()) throw new Error(LOST)
      const status = await this.#run(call)
      return await this.#finish(call, status)
    } finally {
      if (this.#calls.get(call.jobId) === call) this.#calls.delete(call.jobId)
      for (const id of call.ids) this.#byId.delete(id)
    }
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
    // It was on its way here.
    if (this.#abort) return this.#goBack(call, true)
    call.takenAt = this.#parts.clock.now()
    call.waitedUntil = call.takenAt
    this.#running += 1
    try {
      const status = await this.#start(call)
      return status.finished ? status : await this.#follow(call, status)
    } finally {
      this.#running -= 1
    }
  }

  async #start(call: ServedCall): Promise<CallStatus> {
    const { runner } = this.#parts
    const { job } = call
    try {
      const args = readArgs(job.data)
      const options = { timeout: BEGUN_AFTER, ...readLimits(job.data) }
      this.#handed = call
      const started = runner.start(job.name, args, options)
      this.#handed = undefined
      return await started
    } catch (error) {
      throw await this.#refused(call, error)
    }
  }

  /** Sees a call to its end that takes longer: the queue is told when it begins, and it can be cancelled. */
  async #follow(call: ServedCall, first: Unfinished): Promise<CallStatus> {
    const { runner, clock } = this.#parts
    const { id } = first
    call.id = id
    this.#name(call, id)
    this.#catchUp(call)
    let status: CallStatus = first
    for (let patience = BEGUN_AFTER; !status.finished && status.state === 'queued'; patience *= 2) {
      call.waitedUntil = clock.now()
      status = await runner.wait(id, { timeout: Math.min(patience, BEGUN_LATE) })
    }
    if (!status.finished) {
      this.#tellBegun(call)
      status = await runner.wait(id, { timeout: Infinity })
    }
    if (status.id !== undefined) runner.forget(status.id).catch(this.#parts.onTrouble)
    return status
  }

  #name(call: ServedCall, id: CallId): void {
    call.ids.add(id)
    this.#byId.set(id, call)
  }

  /** Does what was asked of a call while the runner did not have it yet. */
  #catchUp(call: ServedCall): void {
    if (call.isLost) this.#cancel(call, LOST, 0)
    else if (this.#abort) this.#cancel(call, this.#abort.reason, this.#abort.grace)
    else if (call.cancel) this.cancel(call.jobId, call.cancel)
  }

  async #finish(call: ServedCall, status: CallStatus): Promise<Returned> {
    if (!status.finished) throw new Error('the runner of this machine answered a wait before the end')
    await call.writing
    const { store, valueLimit, clock } = this.#parts
    const times = timesOf(call, status, clock.now())
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
    if (hasNotBegun) await this.#parts.store.countReturn(call.jobId, call.token)
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
    await store.countReturn(call.jobId, call.token)
    await call.job.moveToDelayed(Date.now() + NO_ROOM, call.token)
    return new DelayedError()
  }

  #failure(call: ServedCall, error: CallError): Promise<Error> {
    const endedAt = this.#parts.clock.now()
    return failJob(call, error, timesOf(call, { ok: false, error }, endedAt), this.#parts.store)
  }

  #cancel({ id }: ServedCall, reason: unknown, grace: number | undefined): void {
    if (id === undefined) return
    const options = { ...(reason !== undefined && { reason }), ...(grace !== undefined && { grace }) }
    this.#parts.runner.cancel(id, options).catch(this.#parts.onTrouble)
  }

  /** The runner tells of a call before it answers for it, which most calls do not live to see. */
  readonly #onQueued = ({ id }: CallEvent): void => {
    const call = this.#handed
    this.#handed = undefined
    if (call) this.#name(call, id)
  }

  readonly #onProgress = ({ id, progress }: CallProgress): void => {
    const call = this.#byId.get(id)
    if (!call) return
    this.#tellBegun(call)
    const { store, valueLimit } = this.#parts
    this.#write(call, async () => store.progress(call.jobId, call.token, writeProgress(progress, valueLimit)))
  }

  readonly #onFinished = ({ id, queueTime, runTime }: CallFinished): void => {
    const call = this.#byId.get(id)
    if (call) call.times = { queueTime, runTime }
  }

  #tellBegun(call: ServedCall): void {
    if (call.isBegunTold) return
    call.isBegunTold = true
    const { waitedUntil, jobId, token } = call
    this.#write(call, () => this.#parts.store.begun(jobId, token, waitedUntil))
  }

  /** Writes one after another, so that it arrives in order. */
  #write(call: ServedCall, write: () => Promise<void>): void {
    const before = call.writing ?? Promise.resolve()
    call.writing = before.then(write).catch(this.#parts.onTrouble)
  }
}
