import { isProxy } from 'node:util/types'
import { KeyCache } from './key-cache.ts'

// How small values are written into shared memory: what is quicker so than by the serializer. Numbers are big-endian.

const UNDEFINED = 0
const NULL = 1
const TRUE = 2
const FALSE = 3
const DOUBLE = 4
const INTEGER = 5
const UNITS = 6
const LATIN1 = 7
const ARRAY = 8
const OBJECT = 9

const TAG_BYTES = 1
const LENGTH_BYTES = 2
const UNIT_BYTES = 2
const COUNT_BYTES = 1
const MOST_PARTS = 255
const LONGEST_KEY = 255

/** Up to this many characters a loop is quicker than a call of the platform's. */
const SHORT = 24

/**
 * A stretch of shared memory, to write to and to read from: primitives, and arrays and plain objects of them, as deep as
 * there is room for. A value is read as structured clone would copy it; what that would treat otherwise is not written.
 */
export class SmallValues {
  /** Where the last value that was read ends. */
  end = 0
  readonly #view: DataView
  readonly #bytes: Buffer
  readonly #keys: KeyCache
  /** The objects of the value that is being written. One that is there twice has to arrive as one. */
  readonly #objects: object[] = []
  #limit = 0

  constructor(buffer: SharedArrayBuffer, offset: number, length: number) {
    this.#view = new DataView(buffer, offset, length)
    this.#bytes = Buffer.from(buffer, offset, length)
    this.#keys = new KeyCache(this.#bytes)
  }

  /**
   * Writes values that belong together, one after the other.
   *
   * @returns where the last one ends; 0 when one of them cannot be written, or they would go beyond `limit`.
   */
  write(values: readonly unknown[], at: number, limit: number): number {
    this.#limit = limit
    try {
      let end = at
      for (let i = 0; i < values.length; i++) {
        end = this.#write(values[i], end)
        if (end === 0) return 0
      }
      return end
    } catch {
      // A getter threw. Structured clone will come to that as well.
      return 0
    } finally {
      if (this.#objects.length > 0) this.#objects.length = 0
    }
  }

  /**
   * Reads what was written at `at`; `end` tells where it ends.
   *
   * @param limit that `write` had. What something else is written over meanwhile reads as anything, but comes to an end.
   */
  read(at: number, limit: number): unknown {
    this.#limit = limit
    return this.#read(at)
  }

  #write(value: unknown, at: number): number {
    switch (typeof value) {
      case 'undefined':
        return this.#writeTag(UNDEFINED, at)
      case 'boolean':
        return this.#writeTag(value ? TRUE : FALSE, at)
      case 'number':
        return this.#writeNumber(value, at)
      case 'string':
        return this.#writeString(value, at)
      case 'object':
        return value === null ? this.#writeTag(NULL, at) : this.#writeObject(value, at)
      default:
        return 0
    }
  }

  #writeTag(tag: number, at: number): number {
    if (at + TAG_BYTES > this.#limit) return 0
    this.#bytes[at] = tag
    return at + TAG_BYTES
  }

  #writeNumber(value: number, at: number): number {
    const begin = at + TAG_BYTES
    const isInteger = (value | 0) === value && !Object.is(value, -0)
    const end = begin + (isInteger ? Int32Array.BYTES_PER_ELEMENT : Float64Array.BYTES_PER_ELEMENT)
    if (end > this.#limit) return 0
    this.#bytes[at] = isInteger ? INTEGER : DOUBLE
    if (isInteger) this.#view.setInt32(begin, value)
    else this.#view.setFloat64(begin, value)
    return end
  }

  #writeString(value: string, at: number): number {
    const begin = at + TAG_BYTES + LENGTH_BYTES
    const { length } = value
    let end = length <= SHORT ? this.#writeLatin1(value, begin) : 0
    let tag = LATIN1
    if (end === 0) {
      // By units, so that half of a surrogate pair arrives as it is; by bytes only where units do not fit.
      if (begin + UNIT_BYTES * length <= this.#limit) tag = UNITS
      else if (begin + length > this.#limit || !isLatin1(value)) return 0
      end = begin + this.#bytes.write(value, begin, tag === UNITS ? 'utf16le' : 'latin1')
    }
    this.#bytes[at] = tag
    this.#view.setUint16(at + TAG_BYTES, end - begin)
    return end
  }

  /** Where it ends; 0 when it does not fit, or has a character that does not. */
  #writeLatin1(value: string, at: number): number {
    if (at + value.length > this.#limit) return 0
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0xff) return 0
      this.#bytes[at + i] = code
    }
    return at + value.length
  }

  #writeObject(object: object, at: number): number {
    if (at + TAG_BYTES + COUNT_BYTES > this.#limit || isProxy(object) || this.#objects.includes(object)) return 0
    this.#objects.push(object)
    if (Array.isArray(object)) return this.#writeArray(object, at)
    // Instances of classes, and objects that the platform knows more of than their properties, have other prototypes.
    return Object.getPrototypeOf(object) === Object.prototype ? this.#writeProperties(object, at) : 0
  }

  #writeArray(array: unknown[], at: number): number {
    const { length } = array
    // Holes, or more than elements, are left to structured clone.
    if (length > MOST_PARTS || Object.keys(array).length !== length) return 0
    this.#bytes[at] = ARRAY
    this.#bytes[at + TAG_BYTES] = length
    let end = at + TAG_BYTES + COUNT_BYTES
    for (let i = 0; i < length; i++) {
      const value = array[i]
      if (value === undefined && !Object.hasOwn(array, i)) return 0
      end = this.#write(value, end)
      if (end === 0) return 0
    }
    return end
  }

  #writeProperties(object: object, at: number): number {
    const keys = Object.keys(object)
    if (keys.length > MOST_PARTS) return 0
    this.#bytes[at] = OBJECT
    this.#bytes[at + TAG_BYTES] = keys.length
    let end = at + TAG_BYTES + COUNT_BYTES
    for (const key of keys) {
      if (key === '__proto__' || key.length > LONGEST_KEY || end >= this.#limit) return 0
      this.#bytes[end] = key.length
      end = this.#writeLatin1(key, end + COUNT_BYTES)
      if (end === 0) return 0
      end = this.#write((object as Record<string, unknown>)[key], end)
      if (end === 0) return 0
    }
    return end
  }

  #read(at: number): unknown {
    this.end = at + TAG_BYTES
    if (at >= this.#limit) return undefined
    switch (this.#bytes[at]) {
      case NULL:
        return null
      case TRUE:
        return true
      case FALSE:
        return false
      case DOUBLE:
        this.end += Float64Array.BYTES_PER_ELEMENT
        return this.#view.getFloat64(at + TAG_BYTES)
      case INTEGER:
        this.end += Int32Array.BYTES_PER_ELEMENT
        return this.#view.getInt32(at + TAG_BYTES)
      case UNITS:
        return this.#readString('utf16le', at)
      case LATIN1:
        return this.#readString('latin1', at)
      case ARRAY:
        return this.#readArray(at)
      case OBJECT:
        return this.#readProperties(at)
      default:
        return undefined
    }
  }

  #readString(encoding: 'utf16le' | 'latin1', at: number): string {
    const begin = at + TAG_BYTES + LENGTH_BYTES
    this.end = begin + this.#view.getUint16(at + TAG_BYTES)
    if (encoding === 'utf16le' || this.end - begin > SHORT) return this.#bytes.toString(encoding, begin, this.end)
    let text = ''
    for (let i = begin; i < this.end; i++) text += String.fromCharCode(this.#bytes[i] as number)
    return text
  }

  #readArray(at: number): unknown[] {
    const count = this.#bytes[at + TAG_BYTES] as number
    const array: unknown[] = []
    this.end += COUNT_BYTES
    while (array.length < count && this.end < this.#limit) array.push(this.#read(this.end))
    return array
  }

  #readProperties(at: number): object {
    const count = this.#bytes[at + TAG_BYTES] as number
    const object: Record<string, unknown> = {}
    this.end += COUNT_BYTES
    for (let i = 0; i < count && this.end < this.#limit; i++) {
      const begin = this.end + COUNT_BYTES
      const end = begin + (this.#bytes[this.end] as number)
      object[this.#keys.read(begin, end)] = this.#read(end)
    }
    return object
  }
}

function isLatin1(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0xff) return false
  return true
}
