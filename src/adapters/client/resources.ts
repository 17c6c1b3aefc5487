import type { CallId } from '../../model/call-id.ts'
import { show } from '../../model/check.ts'
import { CallError } from '../../model/errors.ts'
import type { ListRequest } from '../../caller/requests.ts'
import type { CallPage, RunnerStats } from '../../model/runner.ts'
import type { CallStatus } from '../../model/status.ts'
import { readInfo, type CallInfoJson } from '../wire/envelopes.ts'
import { writeSpan } from '../wire/spans.ts'
import { writeCause } from '../wire/values.ts'
import { readable, refusalOf, statusOf } from './answers.ts'
import { backoff, retryAfter } from './backoff.ts'
import type { Line, Reply } from './line.ts'

export interface CancelRequest {
  reason: unknown
  grace: number | undefined
}

/** What else the node can be asked. */
export class Resources {
  readonly #line: Line

  constructor(line: Line) {
    this.#line = line
  }

  async cancel(id: CallId, { reason, grace }: CancelRequest): Promise<CallStatus> {
    const why = reason === undefined ? [] : [`"reason":${writeCause(reason, 'rich')}`]
    const span = grace === undefined ? [] : [`"grace":${writeSpan(grace)}`]
    const body = `{${[...why, ...span].join(',')}}`
    return statusOf(await this.#line.ask({ method: 'POST', path: () => `${pathOf(id)}/cancel`, body: () => body, id }))
  }

  async forget(id: CallId): Promise<void> {
    const reply = await this.#line.ask({ method: 'DELETE', path: () => pathOf(id), id })
    // It went by the request before, whose answer got lost.
    const isDone = reply.isRepeat && reply.kind === 'call-expired'
    if (reply.status >= 300 && !isDone) throw refusalOf(reply)
  }

  async list({ state, fn, limit, cursor }: ListRequest): Promise<CallPage> {
    const given = Object.entries({ state, fn, limit: String(limit), cursor }).filter(([, value]) => value !== undefined)
    const query = new URLSearchParams(given as [string, string][])
    const reply = await this.#line.ask({ method: 'GET', path: () => `/calls?${query}` })
    if (reply.status >= 300) throw refusalOf(reply)
    const page = reply.json as { calls: CallInfoJson[]; cursor?: string }
    const calls = readable(() => page.calls.map((row) => readInfo(row, 'rich')))
    return page.cursor === undefined ? { calls } : { calls, cursor: page.cursor }
  }

  async stats(): Promise<RunnerStats> {
    const reply = await this.#line.ask({ method: 'GET', path: () => '/stats' })
    if (reply.status >= 300) throw refusalOf(reply)
    return reply.json as RunnerStats
  }

  /** Resolves when the node is ready, however often it has to be asked. */
  async ready(): Promise<void> {
    for (let asked = 1; ; asked++) {
      const reply = await this.#line.ask({ method: 'GET', path: () => '/ready' })
      if (reply.status < 300) return
      if (reply.kind !== 'not-ready') throw refusalOf(reply)
      await this.#line.pause(pauseBefore(reply, asked))
    }
  }
}

function pauseBefore({ headers }: Reply, asked: number): number {
  return retryAfter(headers['retry-after']) ?? backoff(asked)
}

function pathOf(id: CallId): string {
  return `/calls/${encodeURIComponent(id)}`
}

/** Characters of an ID at most: nodes take no longer ones. */
const LONGEST_ID = 256

/**
 * The ID of a call, as far as it can be one.
 *
 * @throws CallError `CALL_UNKNOWN` for what cannot stand in a path, or is too long.
 */
export function checkId(id: string): CallId {
  const isPossible = id.length <= LONGEST_ID && !/^\.{0,2}$/.test(id) && id.isWellFormed()
  if (!isPossible) throw new CallError('CALL_UNKNOWN', `${show(id)} is no call ID`)
  return id as CallId
}
