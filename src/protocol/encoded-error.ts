import { inspect } from 'node:util'
import { isNativeError } from 'node:util/types'
import { isCloneable } from './cloneable.ts'

/**
 * What a function threw, in a form that can travel. Structured clone alone loses the class name, own properties such as
 * `code`, and the whole of any error that is not of a built-in class.
 */
export type EncodedError =
  | {
      kind: 'error'
      name: string
      /** The built-in class that its class is, or comes from. */
      base: string
      message: string
      stack: string | undefined
      /** Own enumerable properties. */
      properties: [key: string, value: EncodedError][]
      cause: EncodedError | undefined
      /** Of an `AggregateError`. */
      errors: EncodedError[] | undefined
    }
  /** An error that was written before: the how-manieth, counted from 0 in the order of their beginnings. */
  | { kind: 'again'; index: number }
  | { kind: 'value'; value: unknown }

/** Longer chains of causes are cut here. */
export const ERROR_DEPTH = 64

/** Encodes anything that can be thrown. Never throws itself. */
export function encodeError(thrown: unknown): EncodedError {
  return new Encoder().encode(thrown, 0)
}

/** A value as text, whatever it is. */
export function textOf(value: unknown): string {
  try {
    return typeof value === 'string' ? value : value instanceof Error ? String(value) : inspect(value)
  } catch {
    return 'a value that cannot be shown'
  }
}

class Encoder {
  readonly #indexes = new Map<unknown, number>()

  encode(thrown: unknown, depth: number): EncodedError {
    const before = this.#indexes.size
    try {
      const index = this.#indexes.get(thrown)
      if (index !== undefined) return { kind: 'again', index }
      if (isErrorLike(thrown)) {
        return depth < ERROR_DEPTH ? this.#encodeError(thrown, depth + 1) : { kind: 'value', value: textOf(thrown) }
      }
      return { kind: 'value', value: isCloneable(thrown) ? thrown : textOf(thrown) }
    } catch {
      // A proxy, or something else that does not let itself be looked at. What was found in it so far is not there.
      for (const [error, index] of this.#indexes) if (index >= before) this.#indexes.delete(error)
      return { kind: 'value', value: textOf(thrown) }
    }
  }

  #encodeError(error: Error, depth: number): EncodedError {
    this.#indexes.set(error, this.#indexes.size)
    const isAggregate = error instanceof AggregateError
    const cause = read(error, 'cause')
    const errors = isAggregate ? read(error, 'errors') : undefined
    const keys = Object.keys(error).filter((key) => !SPECIAL.has(key) && !(isAggregate && key === 'errors'))
    // Some have it on the prototype: DOMException, and getters of classes.
    if (!keys.includes('code') && read(error, 'code') !== undefined) keys.push('code')
    return {
      kind: 'error',
      name: nameOf(error),
      base: baseOf(error),
      message: textOf(read(error, 'message')),
      stack: stackOf(error),
      properties: keys.map((key) => [key, this.encode(read(error, key), depth)]),
      cause: cause === undefined ? undefined : this.encode(cause, depth),
      errors: Array.isArray(errors) ? Array.from(errors, (each) => this.encode(each, depth)) : undefined,
    }
  }
}

const SPECIAL = new Set(['name', 'message', 'stack', 'cause'])

function isErrorLike(thrown: unknown): thrown is Error {
  return isNativeError(thrown) || thrown instanceof Error
}

function read(error: Error, key: string): unknown {
  try {
    return Reflect.get(error, key)
  } catch (thrown) {
    return `a getter that threw ${textOf(thrown)}`
  }
}

/** The name that the error goes by: its own, or its class's where that left `name` at what it inherits. */
function nameOf(error: Error): string {
  const name = read(error, 'name')
  const isInherited = typeof name !== 'string' || name === '' || (BUILT_IN.has(name) && !Object.hasOwn(error, 'name'))
  if (!isInherited) return name
  const type = read(error, 'constructor')
  return (typeof type === 'function' && typeof type.name === 'string' && type.name) || 'Error'
}

function baseOf(error: Error): string {
  // Those that come from another one stand before it.
  for (const [name, type] of BUILT_IN) if (error instanceof type) return name
  return 'Error'
}

function stackOf(error: Error): string | undefined {
  const stack = read(error, 'stack')
  return stack === undefined ? undefined : textOf(stack)
}

const BUILT_IN = new Map<string, ErrorConstructor | AggregateErrorConstructor>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError, Error].map((type) => [
    type.name,
    type,
  ]),
)

/** The parts of a document that errors were made of. */
export type DecodedParts = WeakSet<object>

/**
 * Makes what was thrown again: an error of its built-in class, or of one by the same name that comes from that.
 *
 * @param parts for what may be hostile: everything is then made once at most, of all that is decoded with the same ones.
 * What was encoded here has no part in two places, but a short document that does stands for very many errors.
 * @throws TypeError for what `encodeError` did not make, where `parts` are given.
 */
export function decodeError(encoded: EncodedError, parts?: DecodedParts): unknown {
  return decode(encoded, [], parts)
}

function decode(encoded: EncodedError, earlier: Error[], parts: DecodedParts | undefined): unknown {
  if (encoded.kind === 'value') return encoded.value
  if (encoded.kind === 'again') return again(encoded.index, earlier)
  const { name, base, message, stack, properties, cause, errors } = encoded
  if (parts) for (const part of [encoded, properties, errors]) if (part !== undefined) takeOnce(part, parts)
  const error = create(name, base, message)
  earlier.push(error)
  if (error.name !== name) define(error, 'name', name, false)
  define(error, 'stack', stack, false)
  // In the order in which they were written.
  for (const [key, value] of properties) define(error, key, decode(value, earlier, parts), true)
  if (cause !== undefined) define(error, 'cause', decode(cause, earlier, parts), false)
  if (errors !== undefined) {
    const decoded: unknown[] = []
    // Not by `map`, which goes through all the holes of a list that has nothing else.
    for (const each of errors) decoded.push(decode(each, earlier, parts))
    define(error, 'errors', decoded, false)
  }
  return error
}

function again(index: number, earlier: readonly Error[]): Error {
  const error = Number.isInteger(index) ? earlier[index] : undefined
  if (error) return error
  throw new TypeError(`there is no error ${String(index)} before this one`)
}

function takeOnce(part: object, parts: DecodedParts): void {
  if (parts.has(part)) throw new TypeError('a part of an error stands in two places')
  parts.add(part)
}

function create(name: string, base: string, message: string): Error {
  const builtIn = (BUILT_IN.get(base) ?? Error) as ErrorConstructor
  const type = name === base ? builtIn : { [name]: class extends builtIn {} }[name]
  const error = Reflect.construct(builtIn, builtIn.name === 'AggregateError' ? [[], message] : [message], type) as Error
  return error
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, configurable: true, enumerable, writable: true })
}
