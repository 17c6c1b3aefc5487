// How single values are written into shared memory: what is quicker so than by the serializer.

const UNDEFINED = 0
const NULL = 1
const TRUE = 2
const FALSE = 3
const NUMBER = 4
const UNITS = 5
const LATIN1 = 6

const TAG_BYTES = 1
const LENGTH_BYTES = 2
const UNIT_BYTES = 2

/** A stretch of shared memory, to write to and to read from. */
export class Primitives {
  /** Where the last value that was read ends. */
  end = 0
  readonly #view: DataView
  readonly #bytes: Buffer

  constructor(buffer: SharedArrayBuffer, offset: number, length: number) {
    this.#view = new DataView(buffer, offset, length)
    this.#bytes = Buffer.from(buffer, offset, length)
  }

  /**
   * Writes a value.
   *
   * @returns where it ends; 0 when it is no primitive that can be written, or would go beyond `limit`.
   */
  write(value: unknown, at: number, limit: number): number {
    switch (typeof value) {
      case 'undefined':
        return this.#writeTag(UNDEFINED, at, limit)
      case 'boolean':
        return this.#writeTag(value ? TRUE : FALSE, at, limit)
      case 'number':
        if (at + TAG_BYTES + Float64Array.BYTES_PER_ELEMENT > limit) return 0
        this.#view.setUint8(at, NUMBER)
        this.#view.setFloat64(at + TAG_BYTES, value)
        return at + TAG_BYTES + Float64Array.BYTES_PER_ELEMENT
      case 'string':
        return this.#writeString(value, at, limit)
      default:
        return value === null ? this.#writeTag(NULL, at, limit) : 0
    }
  }

  /** Reads what was written at `at`; `end` tells where it ends. */
  read(at: number): unknown {
    this.end = at + TAG_BYTES
    switch (this.#view.getUint8(at)) {
      case NULL:
        return null
      case TRUE:
        return true
      case FALSE:
        return false
      case NUMBER:
        this.end += Float64Array.BYTES_PER_ELEMENT
        return this.#view.getFloat64(at + TAG_BYTES)
      case UNITS:
        return this.#readString('utf16le', at)
      case LATIN1:
        return this.#readString('latin1', at)
      default:
        return undefined
    }
  }

  #readString(encoding: BufferEncoding, at: number): string {
    const begin = at + TAG_BYTES + LENGTH_BYTES
    this.end = begin + this.#view.getUint16(at + TAG_BYTES)
    return this.#bytes.toString(encoding, begin, this.end)
  }

  #writeTag(tag: number, at: number, limit: number): number {
    if (at + TAG_BYTES > limit) return 0
    this.#view.setUint8(at, tag)
    return at + TAG_BYTES
  }

  #writeString(value: string, at: number, limit: number): number {
    const begin = at + TAG_BYTES + LENGTH_BYTES
    // By units, so that half of a surrogate pair arrives as it is; by bytes only where units do not fit.
    const isUnits = begin + UNIT_BYTES * value.length <= limit
    if (!isUnits && (begin + value.length > limit || !isLatin1(value))) return 0
    const length = this.#bytes.write(value, begin, isUnits ? 'utf16le' : 'latin1')
    this.#view.setUint8(at, isUnits ? UNITS : LATIN1)
    this.#view.setUint16(at + TAG_BYTES, length)
    return begin + length
  }
}

function isLatin1(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0xff) return false
  return true
}
