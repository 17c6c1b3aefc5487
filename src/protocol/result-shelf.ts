import { isArrayBuffer, isBoxedPrimitive, isDate, isMap, isProxy, isRegExp, isSet } from 'node:util/types'
import { partsOf } from './common-parts.ts'
import { deserialize, serialize } from './serialize.ts'

/** Bytes of a slot: what kind of result, how it is written, its length, and the value. */
const SLOT_BYTES = 256
const HEADER_BYTES = 4

const NOTHING = 0
const NUMBER = 1
const SERIALIZED = 2

/**
 * Shared memory in which a thread leaves small results that it has not told yet, before it begins another call. They
 * are not lost if that call ends the thread, and not late if it takes long: the runner can fetch them from here.
 *
 * Each value is written on its own, so that two results never share an object.
 */
export class ResultShelf {
  readonly #view: DataView
  readonly #bytes: Uint8Array

  /** @param buffer with room for all slots from `offset` on. */
  constructor(buffer: SharedArrayBuffer, offset: number) {
    this.#view = new DataView(buffer, offset)
    this.#bytes = new Uint8Array(buffer, offset)
  }

  static bytesFor(slots: number): number {
    return slots * SLOT_BYTES
  }

  /** False when the value is too large for it, or cannot be written down. */
  put(slot: number, kind: number, value: unknown): boolean {
    const at = slot * SLOT_BYTES
    this.#bytes[at] = kind
    if (value === undefined) {
      this.#bytes[at + 1] = NOTHING
      return true
    }
    if (typeof value === 'number') {
      this.#bytes[at + 1] = NUMBER
      this.#view.setFloat64(at + HEADER_BYTES, value)
      return true
    }
    const written = write(value)
    if (written === undefined || written.length > SLOT_BYTES - HEADER_BYTES) return false
    this.#bytes[at + 1] = SERIALIZED
    this.#view.setUint16(at + 2, written.length)
    this.#bytes.set(written, at + HEADER_BYTES)
    return true
  }

  get(slot: number): { kind: number; value: unknown } {
    const at = slot * SLOT_BYTES
    const kind = this.#bytes[at] as number
    switch (this.#bytes[at + 1]) {
      case NOTHING:
        return { kind, value: undefined }
      case NUMBER:
        return { kind, value: this.#view.getFloat64(at + HEADER_BYTES) }
      default: {
        const begin = at + HEADER_BYTES
        // A copy: the reader does not read shared memory.
        return { kind, value: deserialize(Buffer.from(this.#bytes.slice(begin, begin + this.#view.getUint16(at + 2)))) }
      }
    }
  }
}

/** More than this cannot fit, so it is not even written. */
const LONGEST_STRING = SLOT_BYTES

/** Objects that are looked at; a value with more would hardly fit. */
const MOST_OBJECTS = 32

/** Whether a value consists only of what the serializer writes as structured clone does: not of the platform's objects. */
function isOrdinary(value: unknown): boolean {
  const parts = new Set<unknown>([value])
  for (const part of parts) {
    if (typeof part !== 'object' || part === null) continue
    if (parts.size > MOST_OBJECTS || isProxy(part) || !isOrdinaryObject(part)) return false
    for (const inner of partsOf(part)) parts.add(inner)
  }
  return true
}

function isOrdinaryObject(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return true
  if (ArrayBuffer.isView(object) || isArrayBuffer(object) || isBoxedPrimitive(object)) return true
  return isDate(object) || isMap(object) || isSet(object) || isRegExp(object)
}

function write(value: unknown): Buffer | undefined {
  if (typeof value === 'string' && value.length > LONGEST_STRING) return undefined
  try {
    return isOrdinary(value) ? serialize(value) : undefined
  } catch {
    // A message will find out why.
    return undefined
  }
}
