import { isArrayBuffer, isBoxedPrimitive, isDate, isMap, isProxy, isRegExp, isSet } from 'node:util/types'
import { partsOf } from './common-parts.ts'
import { deserialize, serialize } from './serialize.ts'
import { SlotRing } from './slot-ring.ts'
import { SmallValues } from './small-values.ts'

/** Bytes of a slot: what kind of result, how it is written, its length where it was serialized, and the value. */
const SLOT_BYTES = 512
const KIND = 0
const FORM = 1
const LENGTH = 2
const VALUE = 4

const PLAIN = 0
const SERIALIZED = 1

export interface ResultInRing {
  slot: number
  generation: number
  kind: number
  value: unknown
}

/**
 * Small results on their way from a thread to the runner through shared memory. They can be read there as soon as they
 * are put in: they are not lost if the next call ends the thread, and not late if it takes long.
 *
 * Each value is written on its own, so that two results never share an object.
 */
export class ResultRing {
  readonly #ring: SlotRing
  readonly #values: SmallValues
  readonly #view: DataView
  readonly #bytes: Uint8Array

  /** @param slots a power of 2. There is room for a result of each. */
  constructor(buffer: SharedArrayBuffer, offset: number, slots: number) {
    this.#ring = new SlotRing(buffer, offset, slots)
    const shelf = offset + SlotRing.bytesFor(slots)
    this.#values = new SmallValues(buffer, shelf, slots * SLOT_BYTES)
    this.#view = new DataView(buffer, shelf, slots * SLOT_BYTES)
    this.#bytes = new Uint8Array(buffer, shelf, slots * SLOT_BYTES)
  }

  static bytesFor(slots: number): number {
    return SlotRing.bytesFor(slots) + slots * SLOT_BYTES
  }

  /** False when the value is too large, or cannot be written down: the result has to be told in a message. */
  put(slot: number, generation: number, kind: number, value: unknown): boolean {
    const begin = slot * SLOT_BYTES
    if (this.#values.write([value], begin + VALUE, begin + SLOT_BYTES) > 0) {
      this.#view.setUint8(begin + FORM, PLAIN)
    } else {
      const written = write(value)
      if (written === undefined || written.length > SLOT_BYTES - VALUE) return false
      this.#view.setUint8(begin + FORM, SERIALIZED)
      this.#view.setUint16(begin + LENGTH, written.length)
      this.#bytes.set(written, begin + VALUE)
    }
    this.#view.setUint8(begin + KIND, kind)
    this.#ring.push(slot, generation)
    return true
  }

  get isEmpty(): boolean {
    return this.#ring.head === this.#ring.tail
  }

  /** Takes the next result; undefined when there is none. */
  take(): ResultInRing | undefined {
    if (!this.#ring.take()) return undefined
    const { slot, generation } = this.#ring
    const begin = slot * SLOT_BYTES
    return { slot, generation, kind: this.#view.getUint8(begin + KIND), value: this.#read(begin) }
  }

  #read(begin: number): unknown {
    if (this.#view.getUint8(begin + FORM) === PLAIN) return this.#values.read(begin + VALUE, begin + SLOT_BYTES)
    const from = begin + VALUE
    // A copy: the reader does not read shared memory.
    return deserialize(Buffer.from(this.#bytes.slice(from, from + this.#view.getUint16(begin + LENGTH))))
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
