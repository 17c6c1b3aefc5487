import { equal, notEqual, ok, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { digest } from '../../src/caller/digest.ts'

function bytes(...values: number[]): ArrayBuffer {
  return new Uint8Array(values).buffer
}

/** An object that has itself as a property. */
function selfish(): Record<string, unknown> {
  const object: Record<string, unknown> = { a: 1 }
  object['self'] = object
  return object
}

// Pairs of values that are equal, and yet made in two ways

const part = { a: 1 }
const cycle = selfish()

const EQUAL: Record<string, [unknown, unknown]> = {
  'objects with their properties in another order': [
    { a: 1, b: { c: 2, d: 3 } },
    { b: { d: 3, c: 2 }, a: 1 },
  ],
  'a part that is shared and copies of it': [
    [part, part, { part }],
    [{ a: 1 }, { a: 1 }, { part: { a: 1 } }],
  ],
  'a part that is shared on two levels and copies of it': [
    { near: part, far: { far: part } },
    { near: { a: 1 }, far: { far: { a: 1 } } },
  ],
  'texts that were put together': ['a text', ['a', 'text'].join(' ')],
  'objects with a prototype and without': [{ a: 1 }, Object.assign(Object.create(null), { a: 1 })],
  'a view of a part of a buffer and one of its own': [new Uint8Array(bytes(9, 1, 2, 9), 1, 2), new Uint8Array([1, 2])],
  'a Buffer, which arrives as a Uint8Array, and one': [Buffer.from([1, 2]), new Uint8Array([1, 2])],
  'an error whose cause is undefined and one without': [new Error('e', { cause: undefined }), new Error('e')],
  'errors that were thrown in two places': [new RangeError('e'), Reflect.construct(RangeError, ['e'])],
  'two times the same cycle': [selfish(), selfish()],
  'a cycle that is shared on two levels and copies of it': [
    { near: cycle, far: { far: cycle } },
    { near: selfish(), far: { far: selfish() } },
  ],
}

for (const [what, [one, other]] of Object.entries(EQUAL)) {
  test(`equal values have one digest: ${what}`, () => {
    equal(digest([one]), digest([other]))
    equal(digest([{ deep: [one] }]), digest([{ deep: [other] }]))
  })
}

// Values that all differ, by their kinds

const KINDS: Record<string, unknown[]> = {
  'numbers, and what is written like them': [
    0,
    -0,
    1,
    -1,
    NaN,
    Infinity,
    -Infinity,
    0n,
    1n,
    '0',
    '-0',
    '1',
    'NaN',
    '1n',
  ],
  'what is nothing, and what is written like it': [undefined, null, false, true, '', 'undefined', 'null', 'false'],
  'texts with signs of the notation in them': [
    'a',
    'A',
    '"a"',
    '"',
    "'",
    ',',
    'a,',
    '\\',
    '\ud800',
    '\udbff',
    '\ufffd',
  ],
  'big integers': [0n, -1n, 1n, 2n ** 64n, 2n ** 64n + 1n],
  objects: [
    {},
    { a: 1 },
    { b: 1 },
    { a: 2 },
    { a: 1, b: 1 },
    { a: { b: 1 } },
    { 'a":1,"b': 1 },
    { 'a:1,b': 1 },
    { ['__proto__']: 1 },
  ],
  'properties that are undefined and that are missing': [{}, { a: undefined }, { b: undefined }, { a: null }],
  arrays: [[], [1], [2], [1, 2], [2, 1], [[1], 2], [1, [2]], [[1, 2]], ['1,2'], [[]], [[], []], [[[]]]],
  holes: [[], new Array(1), new Array(2), [undefined], [undefined, undefined], Object.assign(new Array(2), { 1: 0 })],
  'arrays with more than elements': [[1], Object.assign([1], { a: 1 }), Object.assign([1], { a: 2 }), { 0: 1 }],
  dates: [new Date(0), new Date(1), new Date(NaN), 0, new Date(0).toISOString(), {}],
  'regular expressions': [/a/, /b/, /a/g, /a/i, /(?:)/, '/a/', {}],
  maps: [
    new Map(),
    new Map([[1, 2]]),
    new Map([[2, 1]]),
    new Map([['1', 2]]),
    new Map([[[1], 2]]),
    new Map<unknown, unknown>([[1, [2]]]),
    new Map([
      [1, 2],
      [3, 4],
    ]),
    new Map([[1, undefined]]),
  ],
  sets: [
    new Set(),
    new Set([1]),
    new Set([2]),
    new Set(['1']),
    new Set([1, 2]),
    new Set([[1, 2]]),
    new Set([new Set()]),
  ],
  errors: [
    new Error('a'),
    new Error('b'),
    new Error(''),
    new TypeError('a'),
    new RangeError('a'),
    new Error('a', { cause: 1 }),
    new Error('a', { cause: 2 }),
    new Error('a', { cause: new Error('a') }),
    { name: 'Error', message: 'a' },
    'Error: a',
  ],
  'views of the same bytes': [
    new Uint8Array(8),
    new Uint8ClampedArray(8),
    new Int8Array(8),
    new Uint16Array(4),
    new Int16Array(4),
    new Uint32Array(2),
    new Int32Array(2),
    new Float32Array(2),
    new Float64Array(1),
    new BigInt64Array(1),
    new BigUint64Array(1),
    new DataView(new ArrayBuffer(8)),
    new ArrayBuffer(8),
    [0, 0, 0, 0, 0, 0, 0, 0],
  ],
  'views of other bytes': [
    new Uint8Array(),
    new Uint8Array(1),
    new Uint8Array([1]),
    new Uint8Array([1, 0]),
    new Uint8Array([0, 1]),
    new Uint8Array(bytes(0, 1, 2), 1),
    new Uint8Array(bytes(0, 1, 2), 0, 2).subarray(1).with(0, 9),
    new Float64Array([0]),
    new Float64Array([-0]),
  ],
  buffers: [bytes(), bytes(0), bytes(1), bytes(0, 1), bytes(1, 0)],
  'boxed primitives': [
    Object(1),
    Object(2),
    Object(NaN),
    Object('1'),
    Object('2'),
    Object(1n),
    Object(true),
    Object(false),
    1,
    '1',
    1n,
    true,
    {},
  ],
  'what is empty': [
    {},
    [],
    new Map(),
    new Set(),
    new ArrayBuffer(),
    new Uint8Array(),
    new DataView(new ArrayBuffer()),
    new Error(),
    new Date(NaN),
    /(?:)/,
    Object(''),
    '',
    null,
    undefined,
  ],
  'what holds one number': [
    1,
    1n,
    '1',
    [1],
    { 0: 1 },
    new Map([[0, 1]]),
    new Set([1]),
    new Uint8Array([1]),
    bytes(1),
    new Date(1),
    Object(1),
    /1/,
    new Error('1'),
  ],
}

for (const [what, values] of Object.entries(KINDS)) {
  test(`different values have different digests: ${what}`, () => {
    for (const [i, value] of values.entries()) {
      for (const other of values.slice(i + 1)) {
        notEqual(digest([value]), digest([other]), `${inspect(value)} and ${inspect(other)}`)
        notEqual(
          digest([{ deep: [value] }]),
          digest([{ deep: [other] }]),
          `deep: ${inspect(value)} and ${inspect(other)}`,
        )
      }
      equal(digest([value]), digest([value]))
      equal(digest([value]), digest([structuredClone(value)]), `${inspect(value)} and its copy`)
    }
  })
}

test('a boxed -0 and a boxed 0 have different digests', () => {
  notEqual(digest([Object(-0)]), digest([Object(0)]))
})

test('memory that is shared and memory that is copied have different digests', () => {
  notEqual(digest([new SharedArrayBuffer(4)]), digest([new ArrayBuffer(4)]))
})

test('a part that is shared very many times is read a few times at most', () => {
  let reads = 0
  let value: unknown = {
    get a() {
      reads += 1
      return 1
    },
  }
  for (let level = 0; level < 10; level++) value = [value, value]
  digest([value])
  ok(reads >= 1 && reads < 10, `it was read ${reads} times`)
})

test('objects that lead to one another on very many ways are refused in time', () => {
  const top: unknown[] = []
  let level: unknown[] = [top]
  for (let i = 0; i < 40; i++) level = [level, level]
  top.push(level)
  throws(() => digest(top), { name: 'TypeError', message: /too many ways/ })
  const friends = Array.from({ length: 15 }, (_, id) => ({ id, friends: [] as unknown[] }))
  for (const friend of friends) friend.friends.push(...friends)
  throws(() => digest(friends), /too many ways/)
})

test('the number of values and their order make a difference', () => {
  const lists = [[], [1], [1, 2], [2, 1], [[1, 2]], [undefined], [1, undefined]]
  equal(new Set(lists.map(digest)).size, lists.length)
})

test('a copy has the digest of what it is a copy of', () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  })
  fc.assert(
    fc.property(anything, (value) => digest([value]) === digest([structuredClone(value)])),
    { numRuns: 1_000 },
  )
})

/** Small, so that two of them are often equal or nearly so. */
const { value: smallValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(0, -0, 1, NaN, 1n, '1', '', null, undefined, true, 'true'),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.sparseArray(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b'), tie('value'), { maxKeys: 2, noNullPrototype: true }),
    fc.tuple(tie('value'), tie('value')).map((entry) => new Map([entry])),
    tie('value').map((value) => new Set([value])),
    tie('value').map((cause) => new Error('e', { cause })),
    fc.constantFrom(0, 1).map((time) => new Date(time)),
    fc.constantFrom('', 'a').map((source) => new RegExp(source)),
    fc.uint8Array({ max: 1, maxLength: 2 }),
  ),
}))

test('two values have the same digest when they are equal, and only then', () => {
  let equals = 0
  fc.assert(
    fc.property(smallValue, smallValue, (one, other) => {
      const isEqual = isDeepStrictEqual(one, other)
      if (isEqual) equals += 1
      equal(digest([one]) === digest([other]), isEqual)
    }),
    { numRuns: 5_000 },
  )
  ok(equals > 50, `${equals} pairs were equal`)
})

// Objects that lead back to themselves

interface Node {
  [name: string]: Node
}

/** A root whose part leads to what `to` says. */
function rootWithPart(to: (root: Node, part: Node) => Node): Node {
  const [root, node]: [Node, Node] = [{}, {}]
  root['part'] = node
  node['to'] = to(root, node)
  return root
}

test('a part that leads to the root differs from one that leads to itself, and from one that leads nowhere', () => {
  const digests = [
    rootWithPart((root) => root),
    rootWithPart((_, node) => node),
    rootWithPart(() => ({})),
    rootWithPart((root) => ({ to: root })),
  ].map((root) => digest([root]))
  equal(new Set(digests).size, digests.length)
})

test('what leads back to itself is told from a copy of its first round that ends', () => {
  const list: unknown[] = []
  list.push(list)
  const map = new Map<string, unknown>()
  map.set('self', map)
  const error = new Error('e')
  error.cause = error
  const all = [
    list,
    [[]],
    [list, list],
    map,
    new Map([['self', new Map()]]),
    error,
    new Error('e', { cause: new Error('e') }),
  ]
  const digests = all.map((value) => digest([value]))
  equal(new Set(digests).size, all.length)
})

/**
 * A root with one part near it and one a step further away.
 *
 * @param isShared whether they are one and the same.
 * @param far where the one further away leads: to the root, as the near one does, or to what it is a part of.
 */
function rootWithTwoParts(isShared: boolean, far: 'root' | 'holder'): Node {
  const [root, near, holder]: [Node, Node, Node] = [{}, {}, {}]
  Object.assign(near, { to: root })
  Object.assign(holder, { far: isShared ? near : { to: far === 'root' ? root : holder } })
  return Object.assign(root, { a: near, b: holder })
}

test('a part that occurs twice and leads to the root differs from two that lead to different objects', () => {
  notEqual(digest([rootWithTwoParts(true, 'root')]), digest([rootWithTwoParts(false, 'holder')]))
})

test('a part that occurs twice and leads to the root equals two copies of it that do', () => {
  equal(digest([rootWithTwoParts(true, 'root')]), digest([rootWithTwoParts(false, 'root')]))
})
