import type { Redis } from 'ioredis'
import { randomBytes } from 'node:crypto'
import type { ListRequest } from '../../caller/requests.ts'
import type { CallId } from '../../model/call-id.ts'
import { callIdOf } from './job-ids.ts'
import type { JobFacts } from './job-data.ts'
import {
  isStoredApart,
  lostCall,
  readable,
  readFailure,
  readReturned,
  readTimes,
  type CallEnd,
  type RunTimes,
} from './job-ends.ts'
import type { JobValue } from './job-values.ts'
import { parseProgress } from './job-values.ts'
import { ownKey } from './queue-keys.ts'
import { ScriptRunner } from './script-runner.ts'

/** What a look at a job shows. */
export type Seen = { fn: string; retain: number; priority: number } & (
  | { state: 'queued' }
  | { state: 'running'; startedAt: number; progress: { value: unknown } | undefined }
  | { state: 'finished'; end: CallEnd; finishedAt: number }
)

/** A row of the list. Times are Unix time in milliseconds. */
export interface Row {
  id: CallId
  jobId: string
  fn: string
  retain: number
  priority: number
  admittedAt: number
  seq: string
  state: 'queued' | 'running' | 'finished'
  ok: boolean
  times: RunTimes | undefined
  startedAt: number | undefined
  finishedAt: number | undefined
  progress: { value: unknown } | undefined
}

/** A call as it is handed in. */
export interface NewJob {
  jobId: string
  fn: string
  /** A `JobData` as JSON text. */
  data: string
  facts: JobFacts
  /** Unix time in milliseconds. */
  admittedAt: number
  /** The job's. */
  priority: number
  /** Its idempotency key, and a digest of what it does. */
  keyed: { name: string; digest: string } | undefined
}

/** A call is in the queue now, there is no room for it, or its idempotency key is that of another one which is there. */
export type HandedIn = 'there' | 'full' | { jobId: string; digest: string }

/** What became of a cancel: the call had ended, it never started now, or the machine that has it was told. */
export type Cancelled = 'gone' | 'finished' | 'dropped' | 'sent'

/** Microseconds of Unix time at which the scores of the list begin. */
const SCORE_EPOCH = 1_577_836_800_000_000

/** The calls of a queue, as Redis has them. Every method is one step there, and rejects if Redis does not answer. */
export class QueueStore {
  readonly #client: Redis
  readonly #base: string
  readonly #scripts: ScriptRunner

  constructor(client: Redis, base: string) {
    this.#client = client
    this.#base = base
    this.#scripts = new ScriptRunner(client, base)
  }

  load(): Promise<void> {
    return this.#scripts.load()
  }

  /** The tag of the queue's call IDs. It lives and dies with the queue's data. */
  async tag(): Promise<string> {
    const key = ownKey(this.#base, 'tag')
    await this.#client.set(key, randomBytes(4).toString('hex'), 'NX')
    return (await this.#client.get(key)) ?? ''
  }

  /** Where the event stream ends: what comes after that is news. */
  async lastEventId(): Promise<string> {
    const [last] = await this.#client.xrevrange(`${this.#base}events`, '+', '-', 'COUNT', 1)
    return last?.[0] ?? '0-0'
  }

  /**
   * Hands a call in: once, however often it is asked to.
   *
   * @param settled calls to be dropped on the way, as by `settle`.
   */
  async handIn(job: NewJob, queueLimit: number, settled: readonly string[]): Promise<HandedIn> {
    const { jobId, fn, data, facts, admittedAt, priority, keyed } = job
    const score = Math.floor(admittedAt * 1_000) - SCORE_EPOCH
    const options = JSON.stringify({ priority, ...facts })
    const place = [Math.floor(admittedAt), priority, score, queueLimit, keyed?.name ?? '', keyed?.digest ?? '']
    const answer = await this.#scripts.run('handIn', jobId, fn, data, options, ...place, ...settled)
    if (!Array.isArray(answer)) return answer === 1 ? 'there' : 'full'
    const [ownerId, digest] = answer as [string, string]
    return { jobId: ownerId, digest }
  }

  async hasRoom(queueLimit: number): Promise<boolean> {
    return (await this.#scripts.run('room', queueLimit)) === 1
  }

  /** Undefined when there is no such call. */
  async look(jobId: string): Promise<Seen | undefined> {
    const fields = await this.#client.hmget(
      this.#base + jobId,
      'name',
      'opts',
      'finishedOn',
      'returnvalue',
      'result',
      'outcome',
      'failedReason',
      'begun',
      'ats',
      'progress',
    )
    const [fn, opts, finishedOn, returnvalue, result, outcome, failedReason, begun, ats, progress] = fields
    if (fn == null) return undefined
    const facts = { fn, ...readFacts(opts) }
    if (finishedOn != null) {
      const end = readable(fn, () => readEnd(jobId, fn, { returnvalue, result, outcome, failedReason }))
      return { ...facts, state: 'finished', end, finishedAt: end.times?.endedAt ?? Number(finishedOn) }
    }
    const startedAt = readBegun(begun, ats)
    if (startedAt === undefined) return { ...facts, state: 'queued' }
    return { ...facts, state: 'running', startedAt, progress: readField(progress) }
  }

  /** @param failure what a call that never starts ends with, and `text` in words. */
  async cancel(
    jobId: string,
    reason: string,
    grace: number | undefined,
    failure: string,
    text: string,
  ): Promise<Cancelled> {
    const answer = await this.#scripts.run('cancel', jobId, reason, grace ?? '', failure, text)
    return answer as Cancelled
  }

  /** Drops a finished call: 0 if it is not there, -1 if it has not ended. */
  async forget(jobId: string): Promise<1 | 0 | -1> {
    const answers = (await this.#scripts.run('forget', jobId)) as (1 | 0 | -1)[]
    return answers[0] ?? 0
  }

  /** Drops finished calls whose ends have been told to the only ones who knew of them. */
  async settle(jobIds: readonly string[]): Promise<void> {
    await this.#scripts.run('settled', ...jobIds)
  }

  async forgetAll(jobIds: readonly string[]): Promise<void> {
    await this.#scripts.run('forget', ...jobIds)
  }

  async page({ cursor, limit, state, fn }: ListRequest): Promise<Row[]> {
    const rows = (await this.#scripts.run('page', cursor ?? '0', limit, state ?? '', fn ?? '')) as string[][]
    return rows.map(readRow)
  }

  /** How many machines serve the queue. */
  async servers(): Promise<number> {
    return (await this.#scripts.run('servers')) as number
  }
}

function readFacts(opts: string | null | undefined): { retain: number; priority: number } {
  const { retain, callPriority } = JSON.parse(opts ?? '{}') as Partial<JobFacts>
  return { retain: retain ?? Infinity, priority: callPriority ?? 0 }
}

type EndFields = Record<'returnvalue' | 'result' | 'outcome' | 'failedReason', string | null | undefined>

function readEnd(jobId: string, fn: string, { returnvalue, result, outcome, failedReason }: EndFields): CallEnd {
  if (returnvalue != null) {
    const returned: unknown = JSON.parse(returnvalue)
    if (!isStoredApart(returned)) return readReturned(returned)
    return readReturned({ ...(returned as RunTimes), ...(JSON.parse(result ?? '{}') as JobValue) })
  }
  if (outcome != null) return readFailure(outcome, callIdOf(jobId))
  return { outcome: { ok: false, error: lostCall(fn, failedReason ?? 'it has no outcome') }, times: undefined }
}

/** When its present attempt began: `attempt:time`. */
function readBegun(begun: string | null | undefined, attempt: string | null | undefined): number | undefined {
  const [of, time] = begun?.split(':') ?? []
  return of !== undefined && of === attempt ? Number(time) : undefined
}

function readField(progress: string | null | undefined): { value: unknown } | undefined {
  return progress == null || progress === '' ? undefined : { value: parseProgress(progress) }
}

function readRow(row: string[]): Row {
  const [jobId = '', seq = '', fn = '', opts, state, finishedOn, ok, beginning = '', begun, progress] = row
  const times = finishedOn ? readTimes(beginning) : undefined
  const [, startedAt] = begun?.split(':') ?? []
  return {
    id: callIdOf(jobId),
    jobId,
    fn,
    ...readFacts(opts),
    admittedAt: (Number(seq) + SCORE_EPOCH) / 1_000,
    seq,
    state: state as Row['state'],
    ok: Number(ok) === 1,
    times,
    startedAt: startedAt === undefined || startedAt === '' ? times?.startedAt : Number(startedAt),
    finishedAt: finishedOn ? (times?.endedAt ?? Number(finishedOn)) : undefined,
    progress: state === 'running' ? readField(progress) : undefined,
  }
}
