import type { CallId } from '../../model/call-id.ts'
import { CallError } from '../../model/errors.ts'
import type { Outcome } from '../../model/status.ts'
import { textOf } from '../../protocol/encoded-error.ts'
import { readCallError, writeCallError, type CallErrorJson } from '../wire/call-errors.ts'
import { readJobValue, type JobValue } from './job-values.ts'

// How a call ended, as its job has it. The times come first: a list reads only so far.

/** When a call ran, in Unix time in milliseconds with decimals, by the clock of the Redis server. */
export interface RunTimes {
  /** Left out when its function never began. */
  startedAt?: number
  endedAt: number
}

/** What a job returned. `bytes` is there where its value stands in a field of its own. */
export type Returned = RunTimes & (JobValue | { bytes: number })

export interface CallEnd {
  outcome: Outcome
  /** Undefined where the machine that would know is gone. */
  times: RunTimes | undefined
}

export function readReturned(returned: unknown): CallEnd {
  if (!isReturned(returned)) return { outcome: { ok: true, value: returned }, times: undefined }
  const { startedAt, endedAt } = returned
  return { outcome: { ok: true, value: readJobValue(returned) }, times: timesOf(startedAt, endedAt) }
}

/** Whether this is what a machine of ours returned; anybody can take jobs from a queue. */
function isReturned(returned: unknown): returned is RunTimes & JobValue {
  return typeof returned === 'object' && returned !== null && 'endedAt' in returned
}

export function isStoredApart(returned: unknown): boolean {
  return typeof returned === 'object' && returned !== null && 'endedAt' in returned && 'bytes' in returned
}

/** A failed call as JSON text. */
export function writeFailure(error: CallError, { startedAt, endedAt }: RunTimes): string {
  const times = startedAt === undefined ? '' : `"startedAt":${startedAt},`
  return `{${times}"endedAt":${endedAt},"error":${writeCallError(error, 'rich')}}`
}

export function readFailure(text: string, id: CallId): CallEnd {
  const { startedAt, endedAt, error } = JSON.parse(text) as RunTimes & { error: CallErrorJson }
  return { outcome: { ok: false, error: readCallError({ ...error, id }, 'rich') }, times: timesOf(startedAt, endedAt) }
}

/** The times alone, of the beginning of either text. */
export function readTimes(beginning: string): RunTimes | undefined {
  const match = /^\{(?:"startedAt":([\d.]+),)?"endedAt":([\d.]+)/.exec(beginning)
  return match ? timesOf(match[1] === undefined ? undefined : Number(match[1]), Number(match[2])) : undefined
}

function timesOf(startedAt: number | undefined, endedAt: number): RunTimes {
  return startedAt === undefined ? { endedAt } : { startedAt, endedAt }
}

/** How a call ended; or, where that cannot be read, that it has ended. */
export function readable(fn: string, read: () => CallEnd): CallEnd {
  try {
    return read()
  } catch (cause) {
    const message = `what the call of "${fn}" ended with cannot be read: ${textOf(cause)}`
    const error = new CallError('PROTOCOL_ERROR', message, { fn, started: 'yes', cause })
    return { outcome: { ok: false, error }, times: undefined }
  }
}

export function lostCall(fn: string, why: string): CallError {
  return new CallError('CALL_LOST', `call of "${fn}" was lost: ${why}; what it did is unknown`, { fn })
}
