import { CallError } from '../../model/errors.ts'
import { textOf } from '../../protocol/encoded-error.ts'
import { readValue, writeCause } from '../wire/values.ts'

/** Why a call is to end, as text. Without a reason it is empty. */
export function encodeReason(reason: unknown): string {
  return reason === undefined ? '' : writeCause(reason, 'rich')
}

export function decodeReason(encoded: string): unknown {
  return encoded === '' ? undefined : readValue(JSON.parse(encoded), 'rich')
}

/** What a call ends with that is cancelled before it begins. */
export function droppedCall(fn: string, encodedReason: string): CallError {
  const reason = decodeReason(encodedReason)
  const why = reason === undefined ? '' : ` (${textOf(reason instanceof Error ? reason.message : reason)})`
  const message = `call of "${fn}" was aborted${why}; it had not begun`
  return new CallError('ABORTED', message, {
    fn,
    started: 'no',
    step: 'queued',
    ...(reason !== undefined && { cause: reason }),
  })
}
