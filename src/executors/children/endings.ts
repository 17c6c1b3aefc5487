import { CallError } from '../../model/errors.ts'
import type { Output } from './output.ts'
import type { ChildExit } from './remote-child.ts'

/** Bytes of what a process wrote to standard error last that go into an error. */
const LAST_STDERR = 8_192

/** What is known of a process that ended before its call did. */
export interface Loss {
  fn: string
  exit: ChildExit
  /** Whether the function had begun. */
  started: 'no' | 'yes'
  stderr: Output | undefined
  /** The error that nobody caught, if it told of one. */
  cause?: unknown
}

/** @param bytes how many it has, where that is known. */
export function resultTooLarge(fn: string, limit: number, bytes?: number): CallError {
  const size = bytes === undefined ? 'more' : `${bytes} bytes, more`
  const message = `the result of "${fn}" has ${size} than resultLimit (${limit} bytes)`
  return new CallError('RESULT_TOO_LARGE', message, { fn })
}

/** Why a call's process ended by itself, or for a limit: the runner did not ask for it. */
export function processLost({ fn, exit, started, stderr, cause }: Loss): CallError {
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
