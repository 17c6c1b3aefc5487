import assert from 'node:assert/strict'
import { CallError, type CallErrorCode } from '../../src/index.ts'

// Values that are wrong nearly everywhere, and what has to be said of them.

export const NOT_NUMBERS = ['10', '', null, true, 10n, {}, [10], new Date(10)]

export const NOT_SPANS = [-1, -0.001, NaN, -Infinity]

export const NOT_OBJECTS = [null, 'text', 5, true, [], [1], () => ({})]

/** Objects whose properties are no options: whoever hands one in means something else. */
export const NOT_OPTIONS = [
  new Map([['timeout', 5]]),
  new Date(),
  new AbortController().signal,
  Promise.resolve({}),
  /x/,
]

/** The class that an error has to have, or its code. */
export type ErrorKind = ErrorConstructor | RangeErrorConstructor | TypeErrorConstructor | CallErrorCode

/** Asserts that it is such an error, and that its message says each of `parts`. */
export function assertError(error: unknown, kind: ErrorKind, parts: readonly string[]): void {
  assert.ok(error instanceof Error, `an error, got ${String(error)}`)
  if (typeof kind === 'function') assert.equal(error.constructor, kind, error.stack ?? '')
  else assert.equal((error as CallError).code, kind, error.message)
  for (const part of parts) assert.ok(error.message.includes(part), `"${part}" is in "${error.message}"`)
}
