import { isNativeError } from 'node:util/types'
import { textOf } from '../../protocol/encoded-error.ts'
import { findUnplain } from './plain-values.ts'

/** Longer chains of causes are cut here. */
const DEPTH = 16

/** What a function threw, for those who have no errors of ours: its properties as far as they are JSON. */
export function plainCause(thrown: unknown, depth = 0): unknown {
  if (!isNativeError(thrown)) return findUnplain(thrown, '') ? textOf(thrown) : thrown
  if (depth === DEPTH) return textOf(thrown)
  const { name, message, stack, cause, errors, ...properties } = thrown as Error & Record<string, unknown>
  const own = Object.entries(properties).filter(([, value]) => !findUnplain(value, ''))
  return {
    name,
    message,
    stack,
    ...Object.fromEntries(own),
    ...(cause !== undefined && { cause: plainCause(cause, depth + 1) }),
    ...(Array.isArray(errors) && { errors: errors.map((each) => plainCause(each, depth + 1)) }),
  }
}
