import { CallError } from '../model/errors.ts'
import { textOf } from '../protocol/encoded-error.ts'
import { digest } from './digest.ts'

/**
 * What a keyed call was asked to do, so that the key's second use can be told from a misuse without keeping that.
 *
 * @throws CallError `NOT_CLONEABLE` for arguments that cannot be compared.
 */
export function digestOf(fn: string, args: readonly unknown[]): string {
  try {
    return digest([fn, args])
  } catch (error) {
    const message = `a call with an idempotencyKey needs arguments that can be compared: ${textOf(error)}`
    throw new CallError('NOT_CLONEABLE', message, { fn, cause: error })
  }
}

export function keyReused(key: string, fn: string): CallError {
  const message = `idempotencyKey "${key}" was given before, with another function or other arguments: use a new key`
  return new CallError('KEY_REUSED', message, { fn })
}
