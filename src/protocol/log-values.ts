import { isCloneable } from './cloneable.ts'
import { decodeError, encodeError, textOf, type EncodedError } from './encoded-error.ts'

/** A value of a log line in a form that can travel. */
export type LogValue =
  | { kind: 'error'; error: EncodedError }
  /** The properties of a line, where errors are put as `err`. */
  | { kind: 'properties'; properties: [key: string, value: LogValue][] }
  | { kind: 'value'; value: unknown }

/** Errors keep what they are, and what cannot travel becomes text. Never throws. */
export function encodeLogValue(value: unknown): LogValue {
  try {
    if (isPlain(value)) {
      const keys = Object.keys(value)
      return { kind: 'properties', properties: keys.map((key) => [key, encodeProperty(value, key)]) }
    }
  } catch {
    return { kind: 'value', value: textOf(value) }
  }
  return encodePart(value)
}

export function decodeLogValue(encoded: LogValue): unknown {
  switch (encoded.kind) {
    case 'error':
      return decodeError(encoded.error)
    case 'properties':
      return Object.fromEntries(encoded.properties.map(([key, value]) => [key, decodeLogValue(value)]))
    default:
      return encoded.value
  }
}

function encodeProperty(value: Record<string, unknown>, key: string): LogValue {
  try {
    return encodePart(value[key])
  } catch (error) {
    return { kind: 'value', value: `a getter that threw ${textOf(error)}` }
  }
}

function encodePart(value: unknown): LogValue {
  if (isError(value)) return { kind: 'error', error: encodeError(value) }
  return { kind: 'value', value: isCloneable(value) ? value : textOf(value) }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function isError(value: unknown): value is Error {
  try {
    return value instanceof Error
  } catch {
    return false
  }
}
