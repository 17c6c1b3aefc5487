import { CallError, functionNotFound } from '../../model/errors.ts'
import { decodeError, type EncodedError } from '../../protocol/encoded-error.ts'
import { NOT_CLONEABLE, NOT_FOUND, RETURNED, type ResultKind } from '../../protocol/messages.ts'
import { lastOf, processLost } from '../children/endings.ts'
import type { Output } from '../children/output.ts'
import type { ChildExit } from '../children/remote-child.ts'
import type { JobEnd } from '../executor.ts'

/** How a function ended, by what its process says. */
export function endOfResult(kind: ResultKind, value: unknown, fn: string, functions: readonly string[]): JobEnd {
  switch (kind) {
    case RETURNED:
      return { type: 'returned', value }
    case NOT_FOUND:
      return { type: 'failed', error: functionNotFound(fn, functions) }
    case NOT_CLONEABLE: {
      const cause = decodeError(value as EncodedError) as Error
      const details = { fn, started: 'yes', cause } as const
      return { type: 'failed', error: new CallError('NOT_CLONEABLE', `"${fn}": ${cause.message}`, details) }
    }
    default:
      return { type: 'threw', error: value as EncodedError }
  }
}

/** All that is known of a process that ended without an answer to the call it had. */
export interface Evidence {
  fn: string
  /** Undefined when its end was not waited for any longer. */
  exit: ChildExit | undefined
  /** Whether it told that the function began. */
  hasBegun: boolean
  /** Whether something was moved with the call, which is lost. */
  hasTransfer: boolean
  /** By the runner. */
  wasKilled: boolean
  wasAskedToEnd: boolean
  protocolError: CallError | undefined
  /** Its last answer is not whole. */
  isCutOff: boolean
  /** The error that nobody caught, if it told of one. */
  uncaught: EncodedError | undefined
  stderr: Output | undefined
}

/** How the call ended; `unbegun`: nothing of it was run, so that another process may run it. */
export type Verdict = JobEnd | { type: 'unbegun'; error: CallError }

/** Looks at what weighs most first: the runner's own kill, limits, the rules of the channel, then how the process ended. */
export function verdictOn(evidence: Evidence): Verdict {
  const { exit, hasBegun, wasKilled, wasAskedToEnd, protocolError } = evidence
  if (wasKilled) return { type: 'killed' }
  if (!exit) return protocolError ? { type: 'failed', error: protocolError } : { type: 'killed' }
  const error = errorOf(evidence, exit)
  if (!hasBegun && error.code === 'WORKER_CRASHED' && !wasAskedToEnd) return { type: 'unbegun', error }
  return { type: 'failed', error, byItself: wasAskedToEnd }
}

function errorOf(evidence: Evidence, exit: ChildExit): CallError {
  const { fn, hasBegun, protocolError, isCutOff, uncaught, stderr } = evidence
  if (protocolError && !exit.exceeded) return protocolError
  // What ends by itself ends its answers first.
  const endedByItself = exit.code !== null && uncaught === undefined
  if (isCutOff && endedByItself && !exit.exceeded) {
    const started = hasBegun ? undefined : 'unknown'
    return protocolBroken({ fn, why: 'its last answer is not whole', started, stderr, cause: undefined })
  }
  return lossOf(evidence, exit)
}

/** Why the process ended, by how it did. */
export function lossOf(
  {
    fn,
    hasBegun,
    hasTransfer,
    uncaught,
    stderr,
  }: Pick<Evidence, 'fn' | 'hasBegun' | 'hasTransfer' | 'uncaught' | 'stderr'>,
  exit: ChildExit,
): CallError {
  const cause = uncaught && decodeError(uncaught)
  const retryable = !hasBegun && !hasTransfer
  return processLost({ fn, exit, started: hasBegun ? 'yes' : 'no', retryable, stderr, cause })
}

interface BrokenRule {
  /** Undefined when the process had no call. */
  fn: string | undefined
  why: string
  /** Where the code alone does not say: what was to be heard of it is lost. */
  started: 'unknown' | undefined
  stderr: Output | undefined
  cause: unknown
}

export function protocolBroken({ fn, why, started, stderr, cause }: BrokenRule): CallError {
  const message = `the process of ${fn === undefined ? 'no call' : `"${fn}"`} broke the rules of its channel: ${why}`
  const details = { fn, started, ...lastOf(stderr), ...(cause !== undefined && { cause }) }
  return new CallError('PROTOCOL_ERROR', message, details)
}
