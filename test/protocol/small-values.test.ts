import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SmallValues } from '../../src/protocol/small-values.ts'

const BEGIN = 32
const LIMIT = BEGIN + 400
/** What a value that reads as anything may go beyond its limit. */
const MARGIN = 16

interface SetUp {
  writer: SmallValues
  reader: SmallValues
  memory: Uint8Array
}

/** The two sides of one stretch of memory. */
function setUp(): SetUp {
  const buffer = new SharedArrayBuffer(LIMIT + MARGIN)
  return {
    writer: new SmallValues(buffer, 0, LIMIT + MARGIN),
    reader: new SmallValues(buffer, 0, LIMIT + MARGIN),
    memory: new Uint8Array(buffer),
  }
}

/** Values as they arrive; undefined for those that are not written. */
function sent({ writer, reader }: SetUp, ...values: unknown[]): unknown[] | undefined {
  const end = writer.write(values, BEGIN, LIMIT)
  if (end === 0) return undefined
  const read: unknown[] = []
  for (let at = BEGIN; read.length < values.length; at = reader.end) read.push(reader.read(at, LIMIT))
  equal(reader.end, end)
  return read
}

test('plain values arrive as structured clone copies them', () => {
  const set = setUp()
  const values = [
    { id: 4_711, name: 'Ada Lovelace', tags: ['a', 'b'], ok: true, note: null, gone: undefined },
    [],
    {},
    [[[]], [{ a: [{ b: {} }] }]],
    { '': 0, 7: 'seven', größe: 1.5 },
    [undefined, -0, NaN, Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, 0.1],
    { text: 'größer 😀', half: '\ud800', long: 'ÿ'.repeat(100) },
  ]
  for (const value of values) deepEqual(sent(set, value), [structuredClone(value)])
  deepEqual(sent(set, 1, { a: 1 }, 'two', [2]), [1, { a: 1 }, 'two', [2]])
})

test('whatever is written arrives as structured clone copies it, and nothing is written outside of its place', () => {
  const set = setUp()
  let written = 0
  const plain = fc.anything({
    values: [fc.boolean(), fc.integer(), fc.double(), fc.string({ unit: 'binary' }), fc.constantFrom(null, undefined)],
    maxDepth: 3,
    maxKeys: 4,
  })
  const any = fc.anything({
    maxDepth: 4,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  })
  const value = fc.oneof({ weight: 9, arbitrary: plain }, any)
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
      const arrived = sent(set, ...values)
      if (!arrived) return
      written += 1
      deepEqual(arrived, structuredClone(values))
    }),
    { numRuns: 3_000 },
  )
  ok(written > 1_000, `only ${written} were written`)
  deepEqual(set.memory.subarray(0, BEGIN), new Uint8Array(BEGIN))
  deepEqual(set.memory.subarray(LIMIT), new Uint8Array(MARGIN))
})

class Point {
  x = 1
}

function cycle(): object {
  const value: Record<string, unknown> = {}
  value['self'] = value
  return value
}

const shared = { a: 1 }

const LEFT: Record<string, unknown[]> = {
  'one object twice': [[shared, shared]],
  'one object in two arguments': [shared, shared],
  'a cycle': [cycle()],
  'an instance of a class': [new Point()],
  'an object without a prototype': [Object.create(null)],
  'a Map': [new Map([[1, 2]])],
  'a Date inside': [{ at: new Date(0) }],
  'an error': [new Error('no')],
  bytes: [new Uint8Array(4)],
  'a bigint': [1n],
  'a symbol': [Symbol('s')],
  'a function inside': [{ run: () => 1 }],
  'a Proxy': [new Proxy({}, {})],
  // oxlint-disable-next-line no-sparse-arrays
  'a hole': [[1, , 3]],
  'an array with a name': [Object.assign([1], { name: 'list' })],
  'a key that means something else': [JSON.parse('{ "__proto__": { "a": 1 } }')],
  'a key beyond Latin-1': [{ '€': 1 }],
  'a long key': [{ ['k'.repeat(256)]: 1 }],
  'a long text': ['x'.repeat(401)],
  'many elements': [Array<number>(256).fill(1)],
  'a getter that throws': [
    {
      get value(): never {
        throw new Error('no')
      },
    },
  ],
}

for (const [what, values] of Object.entries(LEFT)) {
  test(`${what} is left to the serializer`, () => equal(sent(setUp(), ...values), undefined))
}

test('what was left does not get in the way of what comes next', () => {
  const set = setUp()
  equal(sent(set, [shared, shared]), undefined)
  deepEqual(sent(set, shared), [shared])
})

test('a property is read once', () => {
  let reads = 0
  const value = {
    get count() {
      reads += 1
      return reads
    },
  }
  deepEqual(sent(setUp(), value), [{ count: 1 }])
  equal(reads, 1)
})

test('keys are told apart, however many there are', () => {
  const set = setUp()
  fc.assert(
    fc.property(fc.dictionary(fc.string({ maxLength: 3 }), fc.constant(1), { maxKeys: 8 }), (value) => {
      const plain = { ...value }
      deepEqual(sent(set, plain) ?? [plain], [plain])
    }),
    { numRuns: 5_000 },
  )
})

test('bytes that are written over meanwhile read as anything, and come to an end', () => {
  const { reader, memory } = setUp()
  fc.assert(
    fc.property(fc.uint8Array({ minLength: LIMIT - BEGIN, maxLength: LIMIT - BEGIN }), fc.nat(9), (bytes, tag) => {
      memory.set(bytes, BEGIN)
      for (let at = BEGIN; at < LIMIT; at += 7) {
        memory[at] = tag
        reader.read(at, LIMIT)
      }
    }),
    { numRuns: 300 },
  )
})
