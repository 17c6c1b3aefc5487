import { CallError, functionNotFound } from '../../model/errors.ts'
import { decodeError, type EncodedError } from '../../protocol/encoded-error.ts'
import { NOT_CLONEABLE, NOT_FOUND, RETURNED, type ResultKind } from '../../protocol/messages.ts'
import type { JobEnd } from '../executor.ts'
import type { Output } from './output.ts'
import type { ChildExit } from './remote-child.ts'

/** Bytes of what a process wrote to standard error last that go into an error. */
const LAST_STDERR = 8_192

/** What is known of a process that ended before its call did. */
export interface Evidence {
  fn: string
  exit: ChildExit
  /** Whether the function had begun. */
  started: 'no' | 'yes'
  stderr: Output | undefined
  /** The error that nobody caught, if it told of one. */
  cause?: unknown
}

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

/** @param bytes how many it has, where that is known. */
export function resultTooLarge(fn: string, limit: number, bytes?: number): CallError {
  const size = bytes === undefined ? 'more' : `${bytes} bytes, more`
  const message = `the result of "${fn}" has ${size} than resultLimit (${limit} bytes)`
  return new CallError('RESULT_TOO_LARGE', message, { fn })
}

/** Why a call's process ended by itself, or for a limit: the runner did not ask for it. */
export function processLost({ fn, exit, started, stderr, cause }: Evidence): CallError {
  const { code, signal, exceeded, isMemoryShort } = exit
  const details = {
    fn,
    started,
    retryable: started === 'no',
    ...(code !== null && { exitCode: code }),
    ...(signal !== null && { signal }),
    ...lastOf(stderr),
    ...(cause !== undefined && { cause }),
  }
  if (exceeded === 'memory') {
    const message = `"${fn}" used more memory than its limit: raise \`memory\`, or use less`
    return new CallError('OUT_OF_MEMORY', message, details)
  }
  if (exceeded === 'cpuTime') {
    const message = `"${fn}" used more processor time than its cpuTime; it was killed`
    return new CallError('DEADLINE_EXCEEDED', message, { ...details, step: 'killed' })
  }
  if (signal !== null && ABORTS.has(signal) && ranOutOfHeap(stderr)) {
    return new CallError('OUT_OF_MEMORY', `"${fn}" ran out of heap: raise \`memory\`, or use less`, details)
  }
  if (signal === 'SIGKILL' && isMemoryShort) {
    const message = `"${fn}" was killed by the system, probably for want of memory`
    return new CallError('OUT_OF_MEMORY', message, details)
  }
  return new CallError('WORKER_CRASHED', `the process of "${fn}" ${describe(exit, cause)}`, details)
}

/** The end of standard error, as a part of an error. */
export function lastOf(output: Output | undefined): { stderr?: string } {
  const stderr = output?.last(LAST_STDERR) ?? ''
  return stderr === '' ? {} : { stderr }
}

function describe({ code, signal }: ChildExit, cause: unknown): string {
  const how =
    signal === null
      ? code === null
        ? 'was lost'
        : `ended with exit code ${code}${code === 0 ? ' and without a result' : ''}`
      : `was ended by the signal ${signal}`
  return cause instanceof Error ? `${how}: ${cause.message}` : how
}

/** How V8 ends a process that has no heap left, by system and version. */
const ABORTS = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL'])

/** Node says so before it aborts, in the midst of much else. */
function ranOutOfHeap(stderr: Output | undefined): boolean {
  return /^FATAL ERROR: .*heap out of memory/m.test(stderr?.last(Infinity) ?? '')
}
