import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Serializer } from 'node:v8'
import { deserialize, serialize } from '../../src/protocol/serialize.ts'

function copyOf<T>(value: T): T {
  return deserialize(serialize(value)) as T
}

test('views arrive as what structured clone makes of them', () => {
  const { buffer } = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  const views = [
    new DataView(buffer, 3, 5),
    new DataView(buffer),
    new Int8Array(buffer, 1, 2),
    new Uint8Array(buffer, 2),
    new Uint8ClampedArray(buffer, 0, 0),
    new Int16Array(buffer, 2, 3),
    new Uint16Array(buffer),
    new Int32Array(buffer, 4, 1),
    new Uint32Array(buffer),
    new Float32Array(buffer, 4),
    new Float64Array(buffer, 8),
    new BigInt64Array(buffer, 8, 1),
    new BigUint64Array(buffer),
  ]
  deepEqual(copyOf(views), structuredClone(views))
})

test('a class of views arrives as the kind it was made of', () => {
  class Pixels extends Uint8ClampedArray {}
  equal(copyOf(new Pixels([1, 2])).constructor, Uint8ClampedArray)
})

test('a class of views that says something else of itself arrives whole', () => {
  class Short extends Uint8Array {
    override get length(): number {
      return 1
    }
  }
  const long = Object.defineProperty(new DataView(new ArrayBuffer(4)), 'length', { value: 99 })
  deepEqual(copyOf([new Short(5)]), [new Uint8Array(5)])
  equal(copyOf(long).byteLength, 4)
})

test('views of the same memory go on sharing it', () => {
  const { buffer } = new Uint8Array([1, 2, 3, 4])
  const bytes = new Uint8Array(buffer, 1)
  const [all, part, again] = copyOf([buffer, bytes, bytes] as const)
  equal(part.buffer, all)
  equal(again, part)
  equal(part.byteOffset, 1)
})

test('a view of memory that can grow grows along, and one with a length does not', () => {
  const buffer = new ArrayBuffer(4, { maxByteLength: 8 })
  const [whole, part] = copyOf([new Uint8Array(buffer), new Uint8Array(buffer, 0, 2)] as const)
  whole.buffer.resize(8)
  equal(whole.length, 8)
  equal(part.length, 2)

  const words = copyOf(new Uint16Array(new ArrayBuffer(5, { maxByteLength: 8 })))
  ;(words.buffer as ArrayBuffer).resize(8)
  equal(words.length, 4)
})

test('of a Buffer in a pool go its own bytes, and nothing of what lies beside them', () => {
  const beside = Buffer.from('somebody else has a secret')
  const own = Buffer.from('own')
  equal(beside.buffer, own.buffer)
  const written = serialize([own])
  ok(written.length < 30)
  const [arrived] = deserialize(written) as [Uint8Array<ArrayBuffer>]
  deepEqual(arrived, new Uint8Array([111, 119, 110]))
  equal(arrived.buffer.byteLength, 3)
})

test('a Buffer that is twice in a value is one there', () => {
  const bytes = Buffer.from('twice')
  const { a, b } = copyOf({ a: bytes, b: bytes })
  equal(a, b)
})

test('a view of memory that was moved away is an error', () => {
  const bytes = new Uint8Array(4)
  structuredClone(bytes, { transfer: [bytes.buffer] })
  throws(() => serialize(bytes), /could not be cloned|detached/)
})

test('bytes that claim a view which cannot be are an error', () => {
  const written = serialize(new Uint8Array([1, 2, 3]))
  for (let at = 2; at < written.length; at++) {
    const broken = Buffer.from(written)
    broken[at] = 254
    try {
      deserialize(broken)
    } catch (error) {
      ok(error instanceof Error)
    }
  }
  throws(() => deserialize(written.subarray(0, -1)))
})

/** The number of a kind of views. */
const UINT8_ARRAY = 2

/** Writes a view as `serialize` does, with something else in the place of its memory. */
class WrongSerializer extends Serializer {
  readonly #memory: unknown

  constructor(memory: unknown) {
    super()
    this.#memory = memory
    Reflect.apply(Reflect.get(this, '_setTreatArrayBufferViewsAsHostObjects') as () => void, this, [true])
  }

  _writeHostObject(): void {
    this.writeUint32(UINT8_ARRAY)
    this.writeValue(this.#memory)
    this.writeDouble(0)
    this.writeDouble(-1)
  }
}

for (const memory of [3e9, { length: 5e8 }, [1, 2, 3], new Map()]) {
  test(`a view of ${inspect(memory)}, which is no memory, is refused, and none is taken for it`, () => {
    const serializer = new WrongSerializer(memory)
    serializer.writeHeader()
    serializer.writeValue(new Uint8Array(1))
    throws(() => deserialize(serializer.releaseBuffer()), /there is no memory below a view/)
  })
}
