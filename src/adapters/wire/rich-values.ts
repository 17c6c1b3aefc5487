import {
  defaultParseOperations,
  defaultStringifyOperations,
  stringify,
  unflatten,
  type ParseOperations,
  type StringifyOperations,
} from 'devalue'
import { isNativeError } from 'node:util/types'
import { decodeError, encodeError, type DecodedParts, type EncodedError } from '../../protocol/encoded-error.ts'

// devalue's flattened form, with what it leaves out: errors, and keys by the name of `__proto__`.

/** An error that is encoded already. */
class Encoded {
  readonly form: EncodedError

  constructor(form: EncodedError) {
    this.form = form
  }
}

/**
 * Writes down a value that structured clone has made, as JSON text.
 *
 * @throws Error for what cannot be written.
 */
export function writeRich(value: unknown): string {
  return stringify(value, REDUCERS, { operations: WRITING })
}

/** Writes down anything that can be thrown, as JSON text: errors with their class names and own properties. */
export function writeThrown(thrown: unknown): string {
  const encoded = structuredClone(encodeError(thrown))
  return writeRich(encoded.kind === 'value' ? encoded.value : new Encoded(encoded))
}

/**
 * Makes a value again from what the JSON text of `writeRich` says. The document may be hostile: what comes out consists
 * of what structured clone knows, and takes no more memory than the document did.
 *
 * @throws Error for a document that is not right.
 */
export function readRich(flattened: unknown): unknown {
  const parts: DecodedParts = new WeakSet()
  const revivers = { Error: (encoded: EncodedError): unknown => decodeError(encoded, parts) }
  return unflatten(flattened as number | unknown[], revivers, { operations: { ...READING, ...gapsWithin(MOST_GAPS) } })
}

/**
 * Elements that the arrays with gaps in one document may have, gaps included: some bytes say that there are millions, for
 * which structured clone takes memory.
 */
const MOST_GAPS = 1_000_000

function gapsWithin(most: number): Partial<ParseOperations> {
  let left = most
  return {
    createSparseArray(length) {
      left -= length
      if (left < 0) throw new TypeError(`arrays with gaps have more than ${most} elements in all`)
      return defaultParseOperations.createSparseArray(length)
    },
  }
}

const REDUCERS = {
  Error: (value: unknown): EncodedError | undefined => {
    if (value instanceof Encoded) return value.form
    return isNativeError(value) ? encodeError(value) : undefined
  },
}

// An own property called `__proto__` is data like any other, but devalue refuses it, as most would set the prototype by
// it. It travels under a name with one more backslash before it, and so does whatever looks like such a name.
const ESCAPED = /^\\*__proto__$/

function escape(key: string): string {
  return ESCAPED.test(key) ? `\\${key}` : key
}

function unescape(key: string): string {
  return ESCAPED.test(key) ? key.slice(1) : key
}

const WRITING: Partial<StringifyOperations> = {
  // A property by the name of `then` is data: functions do not come this far.
  isThenable: () => false,

  shapeOf(value: object) {
    const shape = defaultStringifyOperations.shapeOf(value)
    if (!('keys' in shape) || !shape.keys.some((key) => ESCAPED.test(key))) return shape
    return { kind: shape.kind, keys: shape.keys.map(escape) }
  },

  get: (value: Record<string, unknown>, key) => (typeof key === 'string' ? value[unescape(key)] : value[key]),

  // A view travels with the bytes that it shows: what else is in the memory below may be somebody else's.
  viewInfo({ buffer, byteOffset, byteLength }: ArrayBufferView) {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice()
    return { buffer: bytes.buffer, byteOffset: 0, byteLength, length: byteLength, bufferByteLength: byteLength }
  },
}

const READING: Partial<ParseOperations> = {
  set(target: Record<string, unknown>, key, value) {
    const name = typeof key === 'string' ? unescape(key) : key
    if (name === '__proto__') {
      Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true })
    } else target[name] = value
  },

  createNullPrototypeObject: () => ({}),

  fromISOString(iso: unknown) {
    if (typeof iso !== 'string') throw new TypeError('a date is no text')
    return new Date(iso)
  },

  fromStringValue(tag) {
    throw new TypeError(`${tag} is no value that structured clone knows`)
  },
}
