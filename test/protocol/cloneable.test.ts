import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import { findUncloneable, isCloneable } from '../../src/protocol/cloneable.ts'

/** Where the trouble in `value` sits, when it is the one argument of a call. */
function pathIn(value: unknown): string | undefined {
  return findUncloneable([value], 'args')?.path
}

function isCloned(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

/** A view whose buffer was transferred. */
function detached(): Uint8Array {
  const view = new Uint8Array(8)
  structuredClone(view.buffer, { transfer: [view.buffer] })
  return view
}

class User {
  name: unknown
  #secret = 1
  constructor(name: unknown) {
    this.name = name
  }
  save(): number {
    return this.#secret
  }
}

test('primitives can travel, but for symbols', () => {
  equal(findUncloneable([undefined, null, true, 0, -0, NaN, 10n, 'text', ''], 'args'), undefined)
  deepEqual(findUncloneable([1, Symbol('s')], 'args'), { path: 'args[1]', what: 'a symbol' })
})

test('a function is named, by its own name if it has one', () => {
  deepEqual(findUncloneable([function save() {}], 'args'), { path: 'args[0]', what: 'the function save' })
  deepEqual(findUncloneable([() => 1], 'args'), { path: 'args[0]', what: 'a function' })
  deepEqual(findUncloneable([User], 'args'), { path: 'args[0]', what: 'the function User' })
})

test('what the platform refuses is named by its class', () => {
  const kinds: [unknown, string][] = [
    [Promise.resolve(1), 'a Promise'],
    [new WeakMap(), 'a WeakMap'],
    [new WeakSet(), 'a WeakSet'],
    [new WeakRef({}), 'a WeakRef'],
    [Object(Symbol('s')), 'a Symbol'],
    [new URL('http://localhost'), 'a URL'],
    [new Proxy({}, {}), 'a Proxy'],
    [new Proxy([], {}), 'a Proxy'],
  ]
  for (const [value, what] of kinds) {
    equal(isCloned(value), false)
    deepEqual(findUncloneable([value], 'args'), { path: 'args[0]', what })
  }
})

test('the path leads through arrays, objects, instances, maps, sets and causes', () => {
  const bad = (): void => undefined
  equal(pathIn([1, [2, bad]]), 'args[0][1][1]')
  equal(pathIn({ user: { save: bad } }), 'args[0].user.save')
  equal(pathIn(Object.assign(Object.create(null), { save: bad })), 'args[0].save')
  equal(pathIn(new User([bad])), 'args[0].name[0]')
  equal(
    pathIn(
      new Map<unknown, unknown>([
        [1, 1],
        ['save', bad],
      ]),
    ),
    'args[0].values()[1]',
  )
  equal(
    pathIn(
      new Map<unknown, unknown>([
        [1, 1],
        [{ bad }, 1],
      ]),
    ),
    'args[0].keys()[1].bad',
  )
  equal(pathIn(new Set([1, { bad }])), 'args[0].values()[1].bad')
  equal(pathIn(new Error('a', { cause: new Error('b', { cause: { bad } }) })), 'args[0].cause.cause.bad')
  equal(
    pathIn({ a: new Map([['b', [new Set([new Error('c', { cause: bad })])]]]) }),
    'args[0].a.values()[0][0].values()[0].cause',
  )
})

test('a key that is no identifier is written as one would write it', () => {
  const bad = (): void => undefined
  equal(pathIn({ 'two words': bad }), 'args[0]["two words"]')
  equal(pathIn({ 'quo"te': bad }), 'args[0]["quo\\"te"]')
  equal(pathIn({ '7': bad }), 'args[0]["7"]')
  equal(pathIn({ '': bad }), 'args[0][""]')
  equal(pathIn({ $größe_1: bad }), 'args[0].$größe_1')
})

test('the path begins with the name that is given', () => {
  equal(findUncloneable([{ f() {} }], 'result')?.path, 'result[0].f')
})

test('the first trouble of several is named', () => {
  deepEqual(findUncloneable([1, { a: 1, b: Symbol('s') }, () => 1], 'args'), { path: 'args[1].b', what: 'a symbol' })
})

test('what cannot be seen by structured clone is no trouble', () => {
  const hidden = Object.defineProperty({}, 'save', { value: () => 1, enumerable: false })
  const values = [
    hidden,
    { [Symbol('key')]: () => 1 },
    new User('methods and private fields do not travel'),
    Object.assign(new Error('only its name, message, stack and cause travel'), { save: () => 1 }),
    Object.assign(new Map(), { save: () => 1 }),
    Object.assign(new Date(0), { save: () => 1 }),
    Object.assign(/a/g, { save: () => 1 }),
    Object.assign(new Uint8Array(1), { save: () => 1 }),
    new AggregateError([() => 1]),
  ]
  for (const value of values) {
    ok(isCloned(value))
    equal(findUncloneable([value], 'args'), undefined)
  }
})

test('a property of an array that is no element is found', () => {
  const array = Object.assign([1, 2], { save: () => 1 })
  equal(isCloned(array), false)
  equal(pathIn(array), 'args[0].save')
  // Also where there is a hole for it.
  equal(pathIn(Object.assign(new Array<number>(1), { save: () => 1 })), 'args[0].save')
})

test('an array is looked at as far as it is filled', () => {
  const sparse: unknown[] = []
  sparse[2 ** 27] = 1
  const start = performance.now()
  equal(pathIn(sparse), undefined)
  sparse[2 ** 27 - 1] = () => 1
  equal(pathIn(sparse), `args[0][${2 ** 27 - 1}]`)
  // A step for each hole would take ten times as long.
  ok(performance.now() - start < 1_000)
})

test('a cause that does not travel is no trouble', () => {
  const own = Object.defineProperty(new Error('a'), 'cause', { get: () => () => 1 })
  class Inherited extends Error {
    override get cause(): unknown {
      return () => 1
    }
  }
  for (const error of [own, new Inherited('b')]) {
    ok(isCloned(error))
    equal(pathIn(error), undefined)
  }
})

test('a map and a set are looked at as they are, not as their class shows them', () => {
  class Shy extends Map<unknown, unknown> {
    override keys(): MapIterator<unknown> {
      return new Map().keys()
    }
    override values(): MapIterator<unknown> {
      return new Map().values()
    }
  }
  class Boaster extends Set<unknown> {
    override [Symbol.iterator](): SetIterator<unknown> {
      return new Set<unknown>([() => 1]).values()
    }
  }
  equal(pathIn(new Shy([['save', () => 1]])), 'args[0].values()[0]')
  equal(pathIn(new Shy([[() => 1, 'save']])), 'args[0].keys()[0]')
  equal(pathIn(new Boaster([1])), undefined)
})

test('a getter that throws is named like any other trouble', () => {
  for (const thrown of [new TypeError('no'), new RangeError('no'), 'no', undefined]) {
    const value = {
      user: {
        get save(): never {
          throw thrown
        },
      },
    }
    equal(pathIn([value]), 'args[0][0].user.save')
    equal(isCloneable(value), false)
  }
})

test('objects of a kind of their own that look like plain ones are found', async () => {
  const listed = (function (): unknown {
    return arguments
  })()
  const namespace: unknown = await import(new URL('data:text/javascript,export const a = 1').href)
  for (const value of [listed, namespace]) {
    equal(isCloned(value), false)
    equal(pathIn([value]), 'args[0][0]')
  }
})

test('cycles and shared parts are looked at once', () => {
  const tree: { self?: unknown; children: unknown[] } = { children: [] }
  tree.self = tree
  tree.children.push(tree, { parent: tree }, new Map([[tree, new Set([tree])]]))
  equal(pathIn(tree), undefined)
  tree.children.push({ parent: tree, save: () => 1 })
  equal(pathIn(tree), 'args[0].children[3].save')

  // Each level holds the next one twice: a walk that looks twice would never end.
  let shared: unknown = 1
  for (let i = 0; i < 200; i++) shared = [shared, shared]
  equal(pathIn(shared), undefined)
  const error = new Error('round')
  error.cause = error
  equal(pathIn(error), undefined)
})

test('values of many kinds can travel', () => {
  const values = [
    new Date(0),
    new Date(NaN),
    /a/gi,
    new Uint8Array(4),
    new DataView(new ArrayBuffer(4)),
    new ArrayBuffer(4),
    new ArrayBuffer(4, { maxByteLength: 8 }),
    new SharedArrayBuffer(4),
    new Int32Array(new SharedArrayBuffer(4)),
    Buffer.from('bytes'),
    Object(1),
    Object('text'),
    Object(10n),
    new Blob(['text']),
    new TypeError('a', { cause: 'b' }),
    new DOMException('a', 'AbortError'),
    new User(new Map([[new Date(0), new Set([1n])]])),
    Object.create(null),
    Object.create({ inherited: () => 1 }),
    [, 1, undefined], // oxlint-disable-line no-sparse-arrays
    { [Symbol.toStringTag]: 'Promise' },
  ]
  for (const value of values) {
    ok(isCloned(value))
    equal(findUncloneable([value], 'args'), undefined)
  }
})

test('a buffer that was transferred before cannot travel, nor can a view of it', () => {
  const what = 'a buffer that was transferred before'
  const view = detached()
  deepEqual(findUncloneable([{ photo: view.buffer }], 'args'), { path: 'args[0].photo', what })
  deepEqual(findUncloneable([{ photo: view }], 'args'), { path: 'args[0].photo', what })
})

test('what is moved need not be cloneable', () => {
  const { port1, port2 } = new MessageChannel()
  deepEqual(findUncloneable([{ port: port1 }], 'args'), { path: 'args[0].port', what: 'a MessagePort' })
  equal(findUncloneable([{ port: port1 }], 'args', [port1]), undefined)
  equal(findUncloneable([{ port: port1, other: port2 }], 'args', [port1])?.path, 'args[0].other')
  const buffer = new ArrayBuffer(8)
  equal(findUncloneable([{ buffer, view: new Uint8Array(buffer) }], 'args', [buffer]), undefined)
  port1.close()
})

test('what is moved need not be cloneable inside an instance with a tag either', () => {
  const { port1 } = new MessageChannel()
  class Tagged {
    readonly [Symbol.toStringTag] = 'Tagged'
    readonly port = port1
  }
  equal(findUncloneable([new Tagged()], 'args', [port1]), undefined)
  equal(pathIn(new Tagged()), 'args[0].port')
  port1.close()
})

test('what is nested too deeply is an error, not a crash', () => {
  let objects: unknown
  let arrays: unknown
  let maps: unknown
  for (let i = 0; i < 100_000; i++) {
    objects = { objects }
    arrays = [arrays]
    maps = new Map([[1, maps]])
  }
  for (const value of [objects, arrays, maps]) {
    deepEqual(findUncloneable([value], 'args'), { path: 'args', what: 'nested too deeply' })
    equal(isCloneable(value), false)
  }
})

test('a thousand levels are not too deep', () => {
  let deep: unknown
  for (let i = 0; i < 500; i++) deep = { deep: [deep] }
  equal(pathIn(deep), undefined)
})

// For random values: the same answer as the platform's, and the part that is named is one that the platform refuses.

const { value: anyValue } = fc.letrec<{ value: unknown; refused: unknown; leaf: unknown; holder: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    { weight: 6, arbitrary: tie('leaf') },
    { weight: 6, arbitrary: tie('holder') },
  ),
  refused: fc
    .constantFrom<(() => unknown)[]>(
      () => () => 1,
      () => Symbol('s'),
      () => Promise.resolve(1),
      () => new WeakMap(),
      () => new Proxy({ a: 1 }, {}),
      () => detached(),
      () => detached().buffer,
      () => new URL('http://localhost'),
      () => Object(Symbol('s')),
    )
    .map((make) => make()),
  leaf: fc.oneof(
    { weight: 1, arbitrary: tie('refused') },
    {
      weight: 12,
      arbitrary: fc
        .constantFrom<(() => unknown)[]>(
          () => undefined,
          () => null,
          () => 1.5,
          () => 10n,
          () => 'text',
          () => new Date(0),
          () => /a/g,
          () => new Uint16Array(2),
          () => new SharedArrayBuffer(2),
          () => new ArrayBuffer(2),
          () => Object('boxed'),
          () => new Blob([]),
        )
        .map((make) => make()),
    },
  ),
  holder: fc.oneof(
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', 'two words', '__proto__'), fc.string()), tie('value'), {
      maxKeys: 4,
    }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => new Set(values)),
    tie('value').map((cause) => new RangeError('message', { cause })),
    tie('value').map((name) => new User(name)),
    fc
      .tuple(fc.array(tie('value'), { maxLength: 2 }), tie('value'))
      .map(([array, extra]) => Object.assign(array, { extra })),
    // Shared, and round.
    tie('value').map((shared) => [shared, { shared }]),
    tie('value').map((inside) => {
      const round: { self?: unknown; inside: unknown } = { inside }
      round.self = [round]
      return round
    }),
  ),
}))

/** Follows a path as `findUncloneable` writes it. */
function follow(root: unknown, path: string): unknown {
  let at = root
  for (const [, member, list, index, key] of path.matchAll(
    /\.(?!keys\(\)|values\(\))([^.[]+)|\.(keys|values)\(\)\[(\d+)\]|\[(\d+|"(?:[^"\\]|\\.)*")\]/g,
  )) {
    if (list) at = [...(at as Map<unknown, unknown>)[list as 'keys' | 'values']()][Number(index)]
    else at = (at as Record<string, unknown>)[member ?? (JSON.parse(key as string) as string)]
  }
  return at
}

test('for any value, what is found agrees with what structured clone does', () => {
  let refused = 0
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 3 }), (args) => {
      const found = findUncloneable(args, 'args')
      equal(found === undefined, isCloned(args))
      equal(isCloneable(args), found === undefined)
      if (!found) return
      refused += 1
      ok(found.path.startsWith('args['), found.path)
      equal(isCloned(follow(args, found.path.slice('args'.length))), false, found.path)
    }),
    { numRuns: 1_000 },
  )
  // Both answers were to be had.
  ok(refused > 100 && refused < 900, `${refused} of 1,000 were refused`)
})
