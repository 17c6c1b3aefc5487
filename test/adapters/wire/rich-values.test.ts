import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  readValue,
  UnreadableError,
  UnwritableError,
  writeArgs,
  writeCause,
  writeValue,
} from '../../../src/adapters/wire/values.ts'

/** What a value is to the function of another host. */
function arrive<T>(value: T): T {
  const [arrived] = readValue(JSON.parse(writeArgs([value])), 'rich') as [T]
  return arrived
}

/** What the JSON text of the rich form stands for. */
function read(json: unknown): unknown {
  return readValue(JSON.parse(JSON.stringify(json)), 'rich')
}

test('whatever structured clone knows arrives', () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    key: fc.oneof(fc.string(), fc.constantFrom('__proto__', '\\__proto__', 'constructor', 'then', 'toJSON', 'length')),
  })
  fc.assert(
    fc.property(anything, (value) => {
      deepEqual(arrive(value), structuredClone(value))
    }),
    { numRuns: 1_000 },
  )
})

test('text of any UTF-16 units arrives', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
      (text) => arrive(text) === text,
    ),
  )
})

test('cycles and shared parts stay so, through maps, sets and odd keys', () => {
  const map = new Map<unknown, unknown>()
  const node: Record<string, unknown> = { map, set: new Set([map]), twin: [map, map] }
  Object.defineProperty(node, '__proto__', { value: node, enumerable: true })
  map.set(node, map)
  const arrived = arrive(node)
  const copy = arrived['map'] as Map<unknown, unknown>
  equal(copy.get(arrived), copy)
  ok((arrived['set'] as Set<unknown>).has(copy))
  deepEqual(
    (arrived['twin'] as unknown[]).map((twin) => twin === copy),
    [true, true],
  )
  equal(Object.getOwnPropertyDescriptor(arrived, '__proto__')?.value, arrived)
  equal(Object.getPrototypeOf(arrived), Object.prototype)
})

test('a view takes along no byte but its own', () => {
  const memory = new TextEncoder().encode('secret value secret').buffer
  const text = writeArgs([new Uint8Array(memory, 7, 5), new DataView(memory, 7, 5), Buffer.from('pooled')])
  equal(text.includes(Buffer.from('secret').toString('base64').slice(0, 6)), false)
  const [bytes, view, pooled] = readValue(JSON.parse(text), 'rich') as [Uint8Array, DataView, Uint8Array]
  deepEqual([Buffer.from(bytes).toString(), view.byteLength, Buffer.from(pooled).toString()], ['value', 5, 'pooled'])
  equal(pooled.buffer.byteLength, 6)
})

test('instances of classes arrive as plain objects, dates without a time as such', () => {
  class Point {
    x = 1
    readonly #hidden = 2
    get sum(): number {
      return this.x + this.#hidden
    }
  }
  deepEqual(arrive<unknown>([new Point(), Object.create(null)]), [{ x: 1 }, {}])
  ok(Number.isNaN(arrive(new Date(NaN)).getTime()))
})

test('an error that is a value arrives as structured clone would have it', () => {
  const arrived = arrive({ error: new RangeError('why', { cause: [new TypeError('inner')] }) }).error
  ok(arrived instanceof RangeError)
  equal(arrived.message, 'why')
  ok((arrived.cause as unknown[])[0] instanceof TypeError)
})

test('what is thrown keeps its class name, its own properties and its causes', () => {
  class QuotaError extends RangeError {
    limit = 5n
    detail = new Map([['inner', new Date(0)]])
  }
  const thrown = new QuotaError('over', { cause: new AggregateError([new TypeError('one')], 'all') })
  const arrived = readValue(JSON.parse(writeCause(thrown, 'rich')), 'rich') as QuotaError
  ok(arrived instanceof RangeError)
  deepEqual([arrived.name, arrived.message, arrived.limit, arrived.detail], ['QuotaError', 'over', 5n, thrown.detail])
  equal(arrived.stack, thrown.stack)
  ok(arrived.cause instanceof AggregateError && arrived.cause.errors[0] instanceof TypeError)
  for (const value of [undefined, 'text', 5n, { code: 5 }]) {
    deepEqual(readValue(JSON.parse(writeCause(value, 'rich')), 'rich'), value)
  }
})

test('what cannot travel is refused, by where it sits', () => {
  const refused: [unknown, string][] = [
    [{ user: { save: function save() {} } }, 'args[0].user.save is the function save'],
    [[Symbol('s')], 'args[0][0] is a symbol'],
    [{ memory: new SharedArrayBuffer(1) }, 'args[0].memory is a SharedArrayBuffer'],
    [{ blob: new Blob([]) }, 'args[0].blob is a Blob'],
  ]
  for (const [value, why] of refused) {
    throws(
      () => writeArgs([value]),
      (error: Error) => error instanceof UnwritableError && error.message.startsWith(why),
    )
  }
  throws(
    () => writeValue({ memory: new SharedArrayBuffer(1) }, 'result', 'rich'),
    /^UnwritableError: result\.memory is a Shared/,
  )
  let deep: unknown = 1
  for (let i = 0; i < 50_000; i++) deep = [deep]
  throws(() => writeValue(deep, 'result', 'rich'), /result is nested too deeply/)
  equal(
    readValue(JSON.parse(writeCause(Object.assign(new Error('x'), { deep }), 'rich')), 'rich') instanceof Error,
    true,
  )
})

test('a hostile document is refused', () => {
  const documents: unknown[] = [
    {},
    'text',
    null,
    [],
    5,

    [[1, 5]],
    [{ __proto__: null, a: 7 }],
    [['Unknown', 1]],
    [['Date', 5]],
    [['URL', 'http://x']],
    [['BigInt', 'x']],
    [['RegExp', '(']],
    [['Uint8Array', 4_000_000_000]],
    [['ArrayBuffer', 5]],
    [
      ['Uint8Array', 1, 0, 99],
      ['ArrayBuffer', 'AA=='],
    ],
    [[-7, 2 ** 33, 0, 1], 1],
    [[-7, 2, 5, 1], 1],
    [['Error', 0]],
    [['Error', 1], null],
    [['Error', 1], 5],
    [['Error', 1], { kind: 2 }, 'error'],
    [['Object', 0]],
    Array.from({ length: 20_000 }, (_, i) => [i + 1]),
  ]
  for (const document of documents)
    throws(() => read(document), UnreadableError, JSON.stringify(document)?.slice(0, 80))
  throws(() => readValue(JSON.parse('[{"__proto__":1},1]'), 'rich'), UnreadableError)
})

/** An encoded error, flattened: the numbers say where its message, its empty list of properties and its errors stand. */
const flatError = (errors: number): object => ({
  kind: 1,
  name: 2,
  base: 2,
  message: 2,
  stack: 2,
  properties: 3,
  errors,
})

test('a document whose errors have parts in common is refused, and one that leads round as well', () => {
  const head = (root: unknown): unknown[] => [root, 'error', 'AggregateError']
  // Each level has the one below twice: 2 to the power of 30 errors.
  const levels: unknown[] = [...head(['Error', 4]), []]
  for (let i = 0; i < 30; i++) {
    const at = levels.length
    levels.push({ ...flatError(at + 1), properties: at + 2 }, [at + 3, at + 3], [])
  }
  levels.push({ ...flatError(-1), properties: levels.length + 1 }, [])
  const manyOfOne = [...head(Array.from({ length: 50 }, (_, i) => 6 + i)), [], flatError(5), []]
  for (let i = 0; i < 50; i++) manyOfOne.push(['Error', 4])
  const oneList = [
    ...head(['Error', 4]),
    [],
    { ...flatError(5), properties: 6 },
    [7, 8],
    [],
    flatError(5),
    flatError(5),
  ]
  const round = [...head(['Error', 4]), [], flatError(5), [4]]
  const holes = [...head(['Error', 4]), [], flatError(5), [-7, 4_294_967_294]]
  for (const document of [levels, manyOfOne, oneList, round, holes]) throws(() => read(document), UnreadableError)
})

test('an error that is said to have come before, and has not, is refused', () => {
  for (const index of ['push', '__proto__', -1, 1, 0.5]) {
    const document = [['Error', 4], 'error', 'Error', [], { ...flatError(-1), cause: 5 }, { kind: 6, index: 7 }]
    throws(() => read([...document, 'again', index]), UnreadableError)
  }
})

test('errors that a value has in many places arrive as they were', () => {
  const shared = new RangeError('shared')
  const value = [shared, new AggregateError([shared, shared], 'both'), new Error('outer', { cause: shared })]
  const [first, both, outer] = arrive(value) as [Error, AggregateError, Error]
  equal(first.message, 'shared')
  equal(outer.cause instanceof RangeError, true)
  equal(both.message, 'both')
})

test('a hostile document changes no prototype and takes no more memory than it is large', () => {
  const before = process.memoryUsage().heapUsed
  const sparse = read([[-7, 1_000_000, 5, 1], 'x']) as unknown[]
  equal(sparse.length, 1_000_000)
  const keys = readValue(JSON.parse('[{"\\\\__proto__":1,"constructor":1},{"polluted":2},true]'), 'rich') as object
  equal(Object.getPrototypeOf(keys), Object.prototype)
  equal('polluted' in keys, false)
  equal('polluted' in {}, false)
  ok(process.memoryUsage().heapUsed - before < 10_000_000)
})

test('arrays with gaps have a million elements at most in one document', () => {
  const [first] = read([[1, 1], [-7, 500_000, 4, 2], 'text']) as unknown[][]
  equal(first?.length, 500_000)
  const hostile = [
    [[1, 2], [-7, 500_001, 4, 3], [-7, 500_000, 4, 3], 'text'],
    [[1], [-7, 33_000_000, 4, 2], 'text'],
    [[1], [-7, 4_294_967_294, 4, 2], 'text'],
  ]
  for (const document of hostile) throws(() => read(document), /more than 1000000 elements/)
})

test('any JSON is read, or refused as not readable', () => {
  const names = fc.constantFrom(
    'Error',
    'Date',
    'Map',
    'Set',
    'Uint8Array',
    'ArrayBuffer',
    'Object',
    'null',
    'BigInt',
    'RegExp',
  )
  const part = fc.oneof(
    fc.integer({ min: -8, max: 8 }),
    names,
    fc.json().map((text) => JSON.parse(text) as unknown),
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(part, fc.array(part), fc.dictionary(fc.string(), part))), (document) => {
      try {
        read(document)
      } catch (error) {
        ok(error instanceof UnreadableError, String(error))
      }
    }),
    { numRuns: 2_000 },
  )
})
