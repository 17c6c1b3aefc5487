import { CallError, functionNotFound } from '../../model/errors.ts'
import { decodeError, textOf, type EncodedError } from '../../protocol/encoded-error.ts'
import { NOT_CLONEABLE, NOT_FOUND, RETURNED, type ResultKind } from '../../protocol/messages.ts'
import type { Job, JobEnd } from '../executor.ts'

// How jobs of a lane end: as their thread tells it, or because it cannot.

/** @param functions that there are on the thread. */
export function endOf(job: Job, kind: ResultKind, value: unknown, functions: readonly string[]): JobEnd {
  switch (kind) {
    case RETURNED:
      return { type: 'returned', value }
    case NOT_FOUND:
      return { type: 'failed', error: functionNotFound(job.fn, functions) }
    case NOT_CLONEABLE:
      return { type: 'failed', error: resultNotCloneable(job, value as EncodedError) }
    default:
      return { type: 'threw', error: value as EncodedError }
  }
}

export function argumentNotCloneable({ fn }: Job, error: unknown): CallError {
  const message = `args of "${fn}" cannot travel between threads: ${textOf(error)}`
  return new CallError('NOT_CLONEABLE', message, { fn, cause: error })
}

function resultNotCloneable({ fn }: Job, error: EncodedError): CallError {
  const cause = decodeError(error) as Error
  return new CallError('NOT_CLONEABLE', `"${fn}": ${cause.message}`, { fn, started: 'yes', cause })
}

/** How a thread ended under its jobs. */
export interface ThreadEnd {
  /** What Piscina says of it. */
  error: unknown
  exitCode: number | undefined
  /** Whether it was ended for one of its jobs. */
  wasKilled: boolean
}

export function threadLost(
  { fn, transfer }: Job,
  { error, exitCode, wasKilled }: ThreadEnd,
  started: 'no' | 'yes',
): CallError {
  // A bystander's error is not that the thread was ended as it should be.
  const cause = error === undefined || wasKilled ? {} : { cause: error }
  if (isOutOfMemory(error)) {
    const when = started === 'no' ? ', each time that it unpacked the arguments' : ''
    const message = `the thread of "${fn}" ran out of memory${when}: raise threads.resourceLimits, or use less`
    return new CallError('OUT_OF_MEMORY', message, { fn, started, ...cause })
  }
  const why = wasKilled ? 'was killed for another call in it' : describe(error, exitCode)
  // What was moved with it is lost.
  const retryable = started === 'no' && transfer === undefined
  const details = { fn, started, retryable, exitCode, ...cause }
  return new CallError('WORKER_CRASHED', `the thread of "${fn}" ${why}`, details)
}

/** Whether this is how Node tells that a thread reached its memory limit. */
export function isOutOfMemory(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
}

function describe(error: unknown, exitCode: number | undefined): string {
  const status = exitCode === undefined ? '' : ` with exit code ${exitCode}`
  return error instanceof Error ? `ended${status}: ${error.message}` : `ended${status}`
}
