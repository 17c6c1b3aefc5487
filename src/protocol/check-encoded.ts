import { ERROR_DEPTH, type EncodedError } from './encoded-error.ts'
import type { LogValue } from './log-values.ts'

// What a child process writes on its channel may be anything, and its host is not to go down with it. So it is looked at
// before anything is made of it: each part once, as a short document whose parts stand in many places stands for much.

type Fields = Record<string, unknown>

/** @throws TypeError for what `encodeError` did not make. */
export function checkEncodedError(value: unknown): asserts value is EncodedError {
  new ErrorCheck(new Set()).check(value, 0)
}

/** @throws TypeError for what is no list of what `encodeLogValue` makes. */
export function checkLogValues(values: unknown): asserts values is LogValue[] {
  const seen = new Set<unknown>()
  for (const value of listOf(values)) checkLogValue(value, seen)
}

function checkLogValue(value: unknown, seen: Set<unknown>): void {
  const { kind, error, properties } = fieldsOf(value)
  if (kind === 'error') return new ErrorCheck(seen).check(error, 0)
  if (kind !== 'properties') return must(kind === 'value', 'a log value must be an error, properties or a value')
  takeOnce(properties, seen)
  for (const [, part] of pairsOf(properties)) {
    must(fieldsOf(part)['kind'] !== 'properties', 'properties of a log value must not have properties')
    checkLogValue(part, seen)
  }
}

class ErrorCheck {
  /** All parts so far. */
  readonly #seen: Set<unknown>
  /** How many errors have begun. */
  #errors = 0

  constructor(seen: Set<unknown>) {
    this.#seen = seen
  }

  check(value: unknown, depth: number): void {
    const fields = fieldsOf(value)
    const { kind, index } = fields
    if (kind === 'again') {
      must(
        Number.isInteger(index) && (index as number) >= 0 && (index as number) < this.#errors,
        'no such error before',
      )
    } else if (kind === 'error') this.#checkError(fields, depth)
    else must(kind === 'value', 'a thrown value must be an error, one from before, or a value')
  }

  #checkError(fields: Fields, depth: number): void {
    must(depth < ERROR_DEPTH, 'errors within errors go too deep')
    this.#errors += 1
    const { name, base, message, stack, properties, cause, errors } = fields
    for (const text of [name, base, message]) must(typeof text === 'string', 'an error must have texts')
    must(stack === undefined || typeof stack === 'string', 'a stack must be a text')
    takeOnce(fields, this.#seen)
    takeOnce(properties, this.#seen)
    // In the order in which they were written: that is how they are counted.
    for (const [, property] of pairsOf(properties)) this.check(property, depth + 1)
    if (cause !== undefined) this.check(cause, depth + 1)
    if (errors === undefined) return
    takeOnce(errors, this.#seen)
    for (const each of listOf(errors)) this.check(each, depth + 1)
  }
}

function takeOnce(part: unknown, seen: Set<unknown>): void {
  must(!seen.has(part), 'a part of an error or of a log line stands in two places')
  seen.add(part)
}

function pairsOf(value: unknown): [string, unknown][] {
  const pairs = listOf(value) as [string, unknown][]
  // The first hole in a list is no pair, so that nobody goes through all of them.
  for (const pair of pairs) must(Array.isArray(pair) && typeof pair[0] === 'string', 'a property must have a name')
  return pairs
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  throw new TypeError('what must be a list is none')
}

function fieldsOf(value: unknown): Fields {
  if (typeof value === 'object' && value !== null) return value as Fields
  throw new TypeError('what must be an object is none')
}

function must(isSo: boolean, what: string): void {
  if (!isSo) throw new TypeError(what)
}
