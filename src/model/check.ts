import { inspect } from 'node:util'

// Every message names what was given where, and what would be right.

export function show(value: unknown): string {
  try {
    return inspect(value, { depth: 0, breakLength: Infinity, maxArrayLength: 3, maxStringLength: 60 })
  } catch {
    return 'a value that cannot be shown'
  }
}

/** Refuses anything but an options object: an AbortSignal in its place, say, has no wrong keys that would show it. */
export function checkObject(where: string, value: unknown): object {
  if (Object.prototype.toString.call(value) === '[object Object]') return value as object
  throw new TypeError(`${where} must be an object, got ${show(value)}`)
}

/** Refuses anything but an options object with known keys. */
export function checkOptions(where: string, value: unknown, known: readonly string[]): void {
  checkObject(where, value)
  for (const key of Object.keys(value as object)) {
    if (!known.includes(key)) {
      throw new TypeError(`${where} has no option "${key}"; its options are ${known.join(', ')}`)
    }
  }
}

export function checkInteger(where: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number') throw new TypeError(`${where} must be a whole number, got ${show(value)}`)
  if (!Number.isInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
    throw new RangeError(`${where} must be a whole number ${range}, got ${value}`)
  }
  return value
}

export function checkBoolean(where: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${where} must be true or false, got ${show(value)}`)
  return value
}

export function checkString(where: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${where} must be a string that is not empty, got ${show(value)}`)
  }
  return value
}

export function checkSignal(where: string, value: unknown): AbortSignal {
  if (!(value instanceof AbortSignal)) throw new TypeError(`${where} must be an AbortSignal, got ${show(value)}`)
  return value
}

export function checkStrings(where: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw new TypeError(`${where} must be an array of strings, got ${show(value)}`)
  for (const [i, each] of value.entries()) {
    if (typeof each !== 'string') throw new TypeError(`${where}[${i}] must be a string, got ${show(each)}`)
  }
  return value as string[]
}
