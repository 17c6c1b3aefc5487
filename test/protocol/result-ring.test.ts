import { deepEqual, equal } from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { ResultRing } from '../../src/protocol/result-ring.ts'

const SLOTS = 4
const OFFSET = 64

interface SetUp {
  /** Puts a result of a slot in. */
  put: (slot: number, kind: number, value: unknown) => boolean
  /** Takes the next one out. */
  take: () => { slot: number; kind: number; value: unknown } | undefined
  memory: Uint8Array
}

/** The two sides of one ring, as a lane's thread and its runner see it. */
function setUp(): SetUp {
  const buffer = new SharedArrayBuffer(OFFSET + ResultRing.bytesFor(SLOTS))
  const [thread, runner] = [new ResultRing(buffer, OFFSET, SLOTS), new ResultRing(buffer, OFFSET, SLOTS)]
  return {
    put: (slot, kind, value) => thread.put(slot, 1, kind, value),
    take() {
      const result = runner.take()
      if (!result) return undefined
      const { slot, kind, value } = result
      return { slot, kind, value }
    },
    memory: new Uint8Array(buffer),
  }
}

test('small results come back as they were put there, with their kind', () => {
  const { put, take } = setUp()
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
    equal(put(2, i, value), true)
    deepEqual(take(), { slot: 2, kind: i, value })
  }
})

test('what is too large is not taken', () => {
  const { put } = setUp()
  equal(put(0, 0, 'x'.repeat(1_000)), false)
  equal(put(0, 0, '€'.repeat(1_000_000)), false)
  equal(put(0, 0, new Uint8Array(1_000)), false)
  equal(put(0, 0, 2n ** 4_000n), false)
  equal(
    put(
      0,
      0,
      Array.from({ length: 500 }, (_, i) => i),
    ),
    false,
  )
})

test('a result of any length is taken whole or not at all, and touches no other', () => {
  for (let length = 0; length < 300; length++) {
    const { put, take, memory } = setUp()
    put(0, 1, 'before')
    put(2, 2, 'after')
    const value = 'x'.repeat(length)
    const isTaken = put(1, 3, value)
    deepEqual(take(), { slot: 0, kind: 1, value: 'before' })
    deepEqual(take(), { slot: 2, kind: 2, value: 'after' })
    deepEqual(take(), isTaken ? { slot: 1, kind: 3, value } : undefined)
    deepEqual(memory.subarray(0, OFFSET), new Uint8Array(OFFSET))
  }
})

test('the last slot has as much room as the others', () => {
  const { put, take } = setUp()
  const value = 'x'.repeat(200)
  equal(put(SLOTS - 1, 1, value), true)
  equal(take()?.value, value)
})

test('a slot can be used again, for something shorter or of another form', () => {
  const { put, take } = setUp()
  for (const value of ['x'.repeat(200), 'y', 5, undefined, { a: 1 }, 0]) {
    equal(put(0, 0, value), true)
    deepEqual(take()?.value, value)
  }
})

test('what is read is a copy', () => {
  const { put, take } = setUp()
  put(0, 0, { list: [1] })
  const first = take()?.value as { list: number[] }
  first.list.push(2)
  put(0, 0, 'something else')
  deepEqual(first, { list: [1, 2] })
})

test('what cannot travel is not taken', () => {
  const { put } = setUp()
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
  for (const value of values) equal(put(0, 0, value), false)
})

test('a value that structured clone copies in a way of its own is left to it', () => {
  const { put, take } = setUp()
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
      if (put(0, 0, each)) deepEqual(take()?.value, structuredClone(each))
    }
  }
})

test('class instances come back as plain objects, and buffers as arrays of bytes, as from structured clone', () => {
  const { put, take } = setUp()
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
    if (put(0, 0, value)) deepEqual(take()?.value, structuredClone(value))
  }
})

test('whatever is taken comes back as structured clone would give it', () => {
  const { put, take } = setUp()
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
        if (!put(slot, slot, value)) return
        taken += 1
        deepEqual(take(), { slot, kind: slot, value: structuredClone(value) })
      },
    ),
    { numRuns: 500 },
  )
  equal(taken > 250, true)
})
