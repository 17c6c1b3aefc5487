import type { CallError } from '../model/errors.ts'

// As `captureStackTrace` takes it.
type Method = (...args: never[]) => unknown

const shown = new WeakSet<CallError>()

/**
 * Shows in the stack of a failed call who first asked for its end: below what the function's side tells, if it tells anything.
 *
 * The error was made where a message came in, which tells nobody anything. Called after an `await` in an async function,
 * V8 finds the awaiting functions by itself: this costs only the calls that fail.
 *
 * @param method what was called: the stack begins with its caller.
 */
export function showCaller(error: CallError, method: Method): void {
  if (shown.has(error)) return
  shown.add(error)
  const here: { stack?: string } = {}
  Error.captureStackTrace(here, method)
  const frames = here.stack?.slice(here.stack.indexOf('\n') + 1) ?? ''
  error.stack = `${error.name}: ${error.message}\n${frames}`
  const { cause } = error
  if (error.code === 'FUNCTION_THREW' && cause instanceof Error && typeof cause.stack === 'string') {
    cause.stack = `${cause.stack}\n${frames}`
  }
}
