import type { Redis } from 'ioredis'
import { jobPriority, PRIORITIES } from './job-priorities.ts'
import { ScriptRunner } from './script-runner.ts'

/** What a machine finds written about a call that it takes up again, or has. */
export interface Word {
  /** How often it was taken and given back without having begun. */
  returned: number
  /** Whether it is to be cancelled, and how. */
  cancel: CancelWord | undefined
}

export interface CancelWord {
  /** An encoded reason. */
  reason: string
  /** Milliseconds; undefined for the call's own. */
  grace: number | undefined
}

/** Milliseconds by which the clocks of machines may differ before a sweep drops what could still be asked for. */
const CLOCK_SLACK = 120_000

/** What a machine that serves a queue writes about its calls. What it writes after it lost a call is refused. */
export class ServedStore {
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

  async begun(jobId: string, token: string, startedAt: number): Promise<void> {
    await this.#scripts.run('begun', jobId, token, startedAt)
  }

  /** Writes down how a call failed, before its job fails. */
  async setFailure(jobId: string, token: string, failure: string): Promise<void> {
    await this.#scripts.run('write', jobId, token, 'outcome', failure)
  }

  /** Writes down a value that is too large to travel with each event. */
  async setResult(jobId: string, token: string, value: string): Promise<void> {
    await this.#scripts.run('write', jobId, token, 'result', value)
  }

  /** @param progress as JSON text. */
  async progress(jobId: string, token: string, progress: string): Promise<void> {
    await this.#scripts.run('progress', jobId, token, progress)
  }

  /** Counts that a call is given back that has not begun. */
  async countReturn(jobId: string, token: string): Promise<void> {
    await this.#scripts.run('giveBack', jobId, token)
  }

  async word(jobId: string): Promise<Word> {
    const [returned, reason, grace] = await this.#client.hmget(this.#base + jobId, 'returned', 'cancel', 'cancelGrace')
    const cancel = reason == null ? undefined : { reason, grace: grace == null ? undefined : Number(grace) }
    return { returned: Number(returned ?? 0), cancel }
  }

  /**
   * Drops what nobody can ask for any more, of the calls that have ended: `count` of them from place `from` on. Says how
   * many were dropped, and whether those were the last.
   *
   * @param now Unix time in milliseconds.
   */
  async sweep(from: number, count: number, now: number): Promise<{ count: number; isLast: boolean }> {
    const answer = await this.#scripts.run('sweep', from, count, CLOCK_SLACK, jobPriority(0, now), PRIORITIES)
    const [dropped, isLast] = answer as [number, number]
    return { count: dropped, isLast: isLast === 1 }
  }

  /** @param patience milliseconds after which a machine that is not heard of serves no more. */
  async serve(server: string, places: number, patience: number): Promise<void> {
    await this.#scripts.run('serve', server, places, patience)
  }

  async leave(server: string, key: string): Promise<void> {
    await this.#client.hdel(key, server)
  }
}
