import { CallError } from '../../model/errors.ts'
import type { CallStatus } from '../../model/status.ts'
import { readCall, type CallJson } from '../wire/envelopes.ts'
import { errorOf } from '../wire/problems.ts'
import { UnreadableError } from '../wire/values.ts'
import type { Reply } from './line.ts'

/** The status that a reply tells. @throws what `refusalOf` gives for any other reply. */
export function statusOf(reply: Reply): CallStatus {
  if (reply.status >= 300) throw refusalOf(reply)
  return readable(() => readCall(reply.json as CallJson, 'rich'))
}

/** The error that a reply is to the caller: a TypeError where the caller gave something wrong, a CallError otherwise. */
export function refusalOf({ status, problem, kind }: Reply): Error {
  if (!problem) return new CallError('PROTOCOL_ERROR', `the node answered with HTTP ${status} and no reason for it`)
  const isWrong = kind === 'invalid-request' || kind === 'invalid-timeout'
  return isWrong ? new TypeError(problem.detail) : errorOf(problem, 'rich')
}

/** @throws CallError `PROTOCOL_ERROR` for what is not written as this client reads it. */
export function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UnreadableError || error instanceof TypeError)) throw error
    const message = `the node's answer cannot be read: ${error.message}`
    throw new CallError('PROTOCOL_ERROR', message, { started: 'unknown', cause: error })
  }
}
