import { CallError } from '../../model/errors.ts'
import type { Output } from './output.ts'
import type { ChildExit, RemoteChild } from './remote-child.ts'

/** Bytes of what a process wrote to standard error last that go into an error. */
const LAST_STDERR = 8_192

/** What is known of a process that ended before its call did. */
export interface Loss {
  fn: string
  exit: ChildExit
  /** Whether the function had begun. */
  started: 'no' | 'yes'
  /** Whether the call may be handed in again if it crashed: what needed too much would again. Default: `false`. */
  retryable?: boolean
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
export function processLost({ fn, exit, started, retryable = false, stderr, cause }: Loss): CallError {
  const { code, signal, exceeded, isMemoryShort } = exit
  const details = {
    fn,
    started,
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
  return new CallError('WORKER_CRASHED', `the process of "${fn}" ${describe(exit, cause)}`, { ...details, retryable })
}

/**
 * Why a process never became the program that it was to be: that is found out by the tools by way of which it is started,
 * and told on its standard error. Undefined when it did.
 */
export function startErrorOf(
  child: Pick<RemoteChild, 'tools'> | undefined,
  { code }: ChildExit,
  stderr: Output | undefined,
): Error | undefined {
  const { tools = '' } = child ?? {}
  const said = stderr?.last(LAST_STDERR).trimEnd() ?? ''
  if (!code || tools === '' || !said.startsWith(tools)) return undefined
  const why = said.slice(tools.length)
  const known = START_ERRORS.find(([text]) => why.endsWith(text))?.[1]
  // In the language of the user, it may be.
  return Object.assign(new Error(why), { code: known ?? (code === NOT_FOUND_EXIT ? 'ENOENT' : 'EACCES') })
}

const START_ERRORS = [
  ['No such file or directory', 'ENOENT'],
  ['Permission denied', 'EACCES'],
  ['Operation not permitted', 'EPERM'],
  ['Text file busy', 'ETXTBSY'],
  ['Argument list too long', 'E2BIG'],
] as const

/** Of such a tool, for a program that is not there. */
const NOT_FOUND_EXIT = 127

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
