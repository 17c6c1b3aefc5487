import { deepEqual, equal } from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { ResultShelf } from '../../src/protocol/result-shelf.ts'

const SLOTS = 4
const OFFSET = 64

/** The two sides of one shelf, as a lane's thread and its runner see it. */
function setUp(): { thread: ResultShelf; runner: ResultShelf; memory: Uint8Array } {
  const buffer = new SharedArrayBuffer(OFFSET + ResultShelf.bytesFor(SLOTS))
  const [thread, runner] = [new ResultShelf(buffer, OFFSET), new ResultShelf(buffer, OFFSET)]
  return { thread, runner, memory: new Uint8Array(buffer) }
}

test('small results come back as they were put there, with their kind', () => {
  const { thread, runner } = setUp()
  const values = [
    undefined,
    null,
    true,
    0,
    -0,
    NaN,
    -1.5,
    Infinity,
    10n,
    '',
    'text',
    'größer 😀',
    [1, [2]],
    { a: { b: new Date(0) } },
  ]
  for (const [i, value] of values.entries()) {
    equal(thread.put(2, i, value), true)
    deepEqual(runner.get(2), { kind: i, value })
  }
})

test('what is too large is not taken', () => {
  const { thread } = setUp()
  equal(thread.put(0, 0, 'x'.repeat(1_000)), false)
  equal(thread.put(0, 0, '€'.repeat(1_000_000)), false)
  equal(thread.put(0, 0, new Uint8Array(1_000)), false)
  equal(thread.put(0, 0, 2n ** 4_000n), false)
  equal(
    thread.put(
      0,
      0,
      Array.from({ length: 500 }, (_, i) => i),
    ),
    false,
  )
})

test('a result of any length is taken whole or not at all, and touches no other', () => {
  for (let length = 0; length < 300; length++) {
    const { thread, runner, memory } = setUp()
    thread.put(0, 1, 'before')
    thread.put(2, 2, 'after')
    const value = 'x'.repeat(length)
    if (thread.put(1, 3, value)) deepEqual(runner.get(1), { kind: 3, value })
    deepEqual(
      [runner.get(0), runner.get(2)],
      [
        { kind: 1, value: 'before' },
        { kind: 2, value: 'after' },
      ],
    )
    deepEqual(memory.subarray(0, OFFSET), new Uint8Array(OFFSET))
  }
})

test('the last slot has as much room as the others', () => {
  const { thread, runner } = setUp()
  const value = 'x'.repeat(200)
  equal(thread.put(SLOTS - 1, 1, value), true)
  equal(runner.get(SLOTS - 1).value, value)
})

test('a slot can be used again, for something shorter or of another form', () => {
  const { thread, runner } = setUp()
  for (const value of ['x'.repeat(200), 'y', 5, undefined, { a: 1 }, 0]) {
    equal(thread.put(0, 0, value), true)
    deepEqual(runner.get(0).value, value)
  }
})

test('what is read is a copy', () => {
  const { thread, runner } = setUp()
  thread.put(0, 0, { list: [1] })
  const first = runner.get(0).value as { list: number[] }
  first.list.push(2)
  thread.put(0, 0, 'something else')
  deepEqual(first, { list: [1, 2] })
})

test('what cannot travel is not taken', () => {
  const { thread } = setUp()
  const values = [
    () => 1,
    Symbol('s'),
    { save: () => 1 },
    Promise.resolve(1),
    new WeakMap(),
    new Proxy({}, {}),
    new URL('http://localhost'),
    new Headers({ a: 'b' }),
    {
      get a() {
        throw new Error('no')
      },
    },
  ]
  for (const value of values) equal(thread.put(0, 0, value), false)
})

test('a value that structured clone copies in a way of its own is left to it', () => {
  const { thread, runner } = setUp()
  const values = [
    new Blob(['text']),
    new File(['text'], 'name'),
    new DOMException('a', 'AbortError'),
    new BlockList(),
    createSecretKey(Buffer.from('secret')),
    new SharedArrayBuffer(4),
  ]
  for (const value of values) {
    for (const each of [value, [value], { value }]) {
      // Taken or not, nothing else may come back.
      if (thread.put(0, 0, each)) deepEqual(runner.get(0).value, structuredClone(each))
    }
  }
})

test('class instances come back as plain objects, and buffers as arrays of bytes, as from structured clone', () => {
  const { thread, runner } = setUp()
  class User {
    name = 'Ada'
    #secret = 1
    save(): number {
      return this.#secret
    }
  }
  const bytes = Buffer.alloc(8, 7)
  const values = [
    new User(),
    new Map([[1, new Set([2])]]),
    /a/gi,
    Object(5),
    new Uint8Array([1, 2]),
    bytes,
    Object.create(null),
    Array(3),
  ]
  for (const value of values) {
    if (thread.put(0, 0, value)) deepEqual(runner.get(0).value, structuredClone(value))
  }
})

test('whatever is taken comes back as structured clone would give it', () => {
  const { thread, runner } = setUp()
  let taken = 0
  fc.assert(
    fc.property(
      fc.anything({
        maxDepth: 2,
        maxKeys: 3,
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withNullPrototype: true,
        withSparseArray: true,
        withTypedArray: true,
        withBoxedValues: true,
      }),
      fc.nat({ max: SLOTS - 1 }),
      (value, slot) => {
        if (!thread.put(slot, slot, value)) return
        taken += 1
        deepEqual(runner.get(slot), { kind: slot, value: structuredClone(value) })
      },
    ),
    { numRuns: 500 },
  )
  equal(taken > 250, true)
})
