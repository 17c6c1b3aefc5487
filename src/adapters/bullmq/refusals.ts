import type { CallId } from '../../model/call-id.ts'
import { CallError, type CallErrorDetails } from '../../model/errors.ts'
import { textOf } from '../../protocol/encoded-error.ts'

export function queueFull(fn: string, queueLimit: number): CallError {
  const message = `as many calls are under way as queueLimit (${queueLimit}) and the machines that serve the queue allow: try again after the "drain" event`
  return new CallError('QUEUE_FULL', message, { fn })
}

/** What trouble with Redis is to a caller. Whatever is no such trouble stays what it is. */
export function refusalOf(error: unknown, details: CallErrorDetails = {}): unknown {
  if (error instanceof CallError || error instanceof TypeError || error instanceof RangeError) return error
  const cause = { ...details, cause: error }
  if (error instanceof Error && /^(?:ReplyError: )?OOM /.test(error.message)) {
    const message = 'the Redis of the queue has reached its memory limit: try again later'
    return new CallError('QUEUE_FULL', message, { ...cause, started: 'no' })
  }
  if (error instanceof Error && error.message.startsWith('Redis must have')) return error
  return new CallError('NODE_UNREACHABLE', `the Redis of the queue does not answer: ${textOf(error)}`, cause)
}

/** A call that is not there, though its ID has the form of one. */
export function missing(id: string, origin: 'own' | 'other' | 'none'): CallError {
  switch (origin) {
    case 'own':
      return new CallError('CALL_EXPIRED', `call ${id} is no longer kept: its outcome was dropped or forgotten`)
    case 'other':
      return new CallError(
        'CALL_LOST',
        `call ${id} belongs to another runner: another queue, or this one before it lost its data; what the call did is unknown`,
      )
    default:
      return new CallError('CALL_UNKNOWN', 'not a call ID: an ID is what `start` gave as `id`, ppid:cpid:time:random')
  }
}

export function notEnded(fn: string, id: CallId): CallError {
  const message = `call of "${fn}" has not ended: cancel it, or wait for it, before it can be forgotten`
  return new CallError('CALL_RUNNING', message, { fn, id })
}

export function closed(fn?: string): CallError {
  return new CallError('RUNNER_CLOSED', 'the runner is closed: it takes no more calls', { fn })
}

export function abortedBefore(fn: string, cause: unknown): CallError {
  const message = `call of "${fn}" was aborted before it was admitted`
  return new CallError('ABORTED', message, { fn, started: 'no', step: 'queued', cause })
}
