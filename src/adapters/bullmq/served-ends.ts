import { CallError } from '../../model/errors.ts'
import type { Outcome } from '../../model/status.ts'
import { writeFailure, type Returned, type RunTimes } from './job-ends.ts'
import { writeJobValue, type JobValue } from './job-values.ts'
import type { ServedCall } from './served-call.ts'
import type { ServedStore } from './served-store.ts'

/** Bytes of a value that travel with the event of its call's end, to every client. Larger ones are asked for. */
const INLINE = 8_192

/**
 * When a call ran, to the microsecond where its runner tells.
 *
 * @param now Unix time in milliseconds.
 */
export function timesOf({ takenAt, waitedUntil, times }: ServedCall, outcome: Outcome, now: number): RunTimes {
  if (!outcome.ok && outcome.error.started === 'no') return { endedAt: round(now) }
  if (!times) return { startedAt: round(waitedUntil), endedAt: round(now) }
  const startedAt = takenAt + times.queueTime / 1_000
  return { startedAt: round(startedAt), endedAt: round(startedAt + times.runTime / 1_000) }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}

interface Limits {
  store: ServedStore
  /** Bytes that a value may have. */
  valueLimit: number
}

/** What a job returns for a call that ended with a value. Throws what fails the job where the value cannot travel. */
export async function returnValue(
  call: ServedCall,
  value: unknown,
  times: RunTimes,
  { store, valueLimit }: Limits,
): Promise<Returned> {
  const { jobId, token } = call
  let written: JobValue
  try {
    written = writeJobValue(value, 'result')
  } catch (error) {
    throw await failJob(call, uncloneable(call.job.name, error), times, store)
  }
  const text = JSON.stringify(written)
  const bytes = Buffer.byteLength(text)
  if (bytes > valueLimit) throw await failJob(call, tooLarge(call.job.name, bytes, valueLimit), times, store)
  if (bytes <= INLINE) return { ...times, ...written }
  await store.setResult(jobId, token, text)
  return { ...times, bytes }
}

/** Writes down how a call failed, and gives what its job fails with: for those who look into the queue. */
export async function failJob(call: ServedCall, error: CallError, times: RunTimes, store: ServedStore): Promise<Error> {
  await store.setFailure(call.jobId, call.token, writeFailure(error, times))
  const shown = new Error(error.message)
  const { cause } = error
  const stack = cause instanceof Error ? cause.stack : error.stack
  if (stack !== undefined) shown.stack = stack
  return shown
}

function uncloneable(fn: string, cause: unknown): CallError {
  const message = cause instanceof Error ? cause.message : 'the result cannot travel'
  return new CallError('NOT_CLONEABLE', message, { fn, started: 'yes', cause })
}

function tooLarge(fn: string, bytes: number, limit: number): CallError {
  const message = `the result of "${fn}" has ${bytes} bytes as it travels, more than valueLimit (${limit})`
  return new CallError('RESULT_TOO_LARGE', message, { fn })
}
