import { isArrayBuffer } from 'node:util/types'
import { Deserializer, Serializer } from 'node:v8'

// The plain serializer, not the default one of `v8.serialize`: its values are those of structured clone. Of a view it
// writes all of the memory below, though, and of a Buffer that may be a pool that others have their bytes in.

/** @throws Error for what cannot be written down. */
export function serialize(value: unknown): Buffer {
  const serializer = new ViewSerializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

/** @throws Error for bytes that `serialize` did not write. */
export function deserialize(bytes: Buffer): unknown {
  const deserializer = new ViewDeserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}

interface View {
  new (buffer: ArrayBuffer, offset: number, length?: number): ArrayBufferView
  readonly BYTES_PER_ELEMENT?: number
}

/** The kinds of views: one is written by its place in this list. */
const KINDS: View[] = [
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]

// Not every Node has it.
const { Float16Array } = globalThis as { Float16Array?: View }
if (Float16Array) KINDS.push(Float16Array)

const PLACES = new Map(KINDS.map(({ name }, place) => [name, place]))

/** In the place of a kind: a part of a Buffer's memory, whose bytes follow. */
const BYTES = 255

/** A view as it is: a class that is made of a kind of views may say of itself what it likes. */
interface Bare {
  kind: string
  buffer: ArrayBuffer
  byteOffset: number
  byteLength: number
}

const typedPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object

/** @throws TypeError for a DataView of memory that was moved away. */
function bare(view: ArrayBufferView): Bare {
  const kind = Reflect.get(typedPrototype, Symbol.toStringTag, view) as string | undefined
  const prototype = kind === undefined ? DataView.prototype : typedPrototype
  const own = <Key extends keyof Bare>(key: Key): Bare[Key] => Reflect.get(prototype, key, view) as Bare[Key]
  return {
    kind: kind ?? 'DataView',
    buffer: own('buffer'),
    byteOffset: own('byteOffset'),
    byteLength: own('byteLength'),
  }
}

class ViewSerializer extends Serializer {
  declare _setTreatArrayBufferViewsAsHostObjects: (isTreatedSo: boolean) => void

  constructor() {
    super()
    this._setTreatArrayBufferViewsAsHostObjects(true)
  }

  /** Views of the same memory go on sharing it: it is written once. */
  _writeHostObject(object: object): void {
    if (!ArrayBuffer.isView(object)) throw new Error(`${Object.prototype.toString.call(object)} could not be cloned.`)
    const { kind, buffer, byteOffset, byteLength } = bare(object)
    if (Buffer.isBuffer(object) && byteLength < buffer.byteLength) {
      this.writeUint32(BYTES)
      this.writeUint32(byteLength)
      this.writeRawBytes(new Uint8Array(buffer, byteOffset, byteLength))
      return
    }
    const place = PLACES.get(kind) as number
    const step = KINDS[place]?.BYTES_PER_ELEMENT ?? 1
    this.writeUint32(place)
    this.writeValue(buffer)
    // One that reaches to the end of memory that can grow grows along.
    const grows = buffer.resizable && buffer.byteLength - byteOffset - byteLength < step
    this.writeDouble(byteOffset)
    this.writeDouble(grows ? -1 : byteLength / step)
  }
}

class ViewDeserializer extends Deserializer {
  _readHostObject(): ArrayBufferView {
    const place = this.readUint32()
    if (place === BYTES) return new Uint8Array(this.readRawBytes(this.readUint32()))
    const buffer: unknown = this.readValue()
    // Of anything else a view would be a copy, as large as that says it is.
    if (!isArrayBuffer(buffer)) throw new Error('there is no memory below a view')
    const [offset, length] = [this.readDouble(), this.readDouble()]
    const View = KINDS[place]
    if (!View) throw new Error(`there is no kind of view of the number ${place}`)
    return new View(buffer, offset, length < 0 ? undefined : length)
  }
}
