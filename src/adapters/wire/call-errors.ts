import type { CallId } from '../../model/call-id.ts'
import { CallError, isCallErrorCode, type AbortStep, type CallErrorDetails, type Started } from '../../model/errors.ts'
import type { Form } from './media.ts'
import { readValue, UnreadableError, writeCause } from './values.ts'

/** How a failed call travels: a `CallError` without its stack. */
export interface CallErrorJson {
  code: string
  message: string
  retryable: boolean
  started: Started
  fn?: string
  id?: string
  step?: AbortStep
  exitCode?: number
  signal?: string
  stderr?: string
  /** In the form of the envelope. */
  cause?: unknown
}

/** An error as JSON text. */
export function writeCallError(error: CallError, form: Form): string {
  const { code, message, retryable, started, fn, id, step, exitCode, signal, stderr } = error
  const json: CallErrorJson = {
    code,
    message,
    retryable,
    started,
    ...(fn !== undefined && { fn }),
    ...(id !== undefined && { id }),
    ...(step !== undefined && { step }),
    ...(exitCode !== undefined && { exitCode }),
    ...(signal !== undefined && { signal }),
    ...(stderr !== undefined && { stderr }),
  }
  const text = JSON.stringify(json)
  // A function can throw undefined, which the rich form can say.
  const hasCause = 'cause' in error && (error.cause !== undefined || form === 'rich')
  return hasCause ? `${text.slice(0, -1)},"cause":${writeCause(error.cause, form)}}` : text
}

/** @throws UnreadableError for what is no such error. */
export function readCallError(json: CallErrorJson, form: Form): CallError {
  const { code, message, retryable, started, fn, id, step, exitCode, signal, stderr, cause } = json
  if (!isCallErrorCode(code)) throw new UnreadableError(`there is no error code ${JSON.stringify(code)}`)
  const details: CallErrorDetails = { retryable, started, fn, id: id as CallId, step, exitCode, signal, stderr }
  return new CallError(code, message, 'cause' in json ? { ...details, cause: readValue(cause, form) } : details)
}
