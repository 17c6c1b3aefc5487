import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CallRing } from '../../src/protocol/call-ring.ts'

const SLOTS = 4
const OFFSET = 64

interface SetUp {
  runner: CallRing
  thread: CallRing
  memory: Uint8Array
}

/** The two sides of one ring. */
function setUp(): SetUp {
  const buffer = new SharedArrayBuffer(OFFSET + CallRing.bytesFor(SLOTS))
  return {
    runner: new CallRing(buffer, OFFSET, SLOTS),
    thread: new CallRing(buffer, OFFSET, SLOTS),
    memory: new Uint8Array(buffer),
  }
}

function call(slot: number, args: readonly unknown[]) {
  return { slot, generation: 5, flags: 3, fn: 300, args, abortAfter: 2.5 }
}

test('calls are taken as they were put in, in their order', () => {
  const { runner, thread } = setUp()
  const calls = [
    call(2, []),
    call(0, [undefined, null, true, false, 0, -0, NaN, -1.5, Infinity]),
    { ...call(1, ['', 'text', 'größer 😀', '\ud800', 'ÿ'.repeat(150)]), flags: 255, fn: 65_535, abortAfter: 0 },
  ]
  for (const each of calls) equal(runner.put(each), true)
  for (const each of calls) deepEqual(thread.take(), each)
  equal(thread.take(), undefined)
})

test('whatever primitives are taken come out the same', () => {
  const { runner, thread, memory } = setUp()
  let taken = 0
  const primitive = fc.oneof(
    fc.constantFrom(undefined, null),
    fc.boolean(),
    fc.double(),
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.string({ maxLength: 300 }),
  )
  fc.assert(
    fc.property(fc.array(primitive, { maxLength: 12 }), fc.nat({ max: SLOTS - 1 }), (args, slot) => {
      if (!runner.put(call(slot, args))) return
      taken += 1
      deepEqual(thread.take(), call(slot, args))
    }),
    { numRuns: 2_000 },
  )
  equal(taken > 500, true)
  deepEqual(memory.subarray(0, OFFSET), new Uint8Array(OFFSET))
})

test('what is not plain, or too large, or too many, is not taken', () => {
  const { runner, thread } = setUp()
  const lists: unknown[][] = [
    [new Map()],
    [1n],
    [Symbol('s')],
    [() => 1],
    ['x'.repeat(600)],
    ['€'.repeat(260)],
    Array<number>(60).fill(0.5),
    Array<undefined>(256),
    [0.5, 'x'.repeat(490)],
  ]
  for (const args of lists) equal(runner.put(call(0, args)), false)
  equal(runner.put({ ...call(0, []), fn: 65_536 }), false)
  equal(thread.take(), undefined)
})

test('arguments of any length are taken whole or not at all, and touch no others', () => {
  for (let length = 0; length < 300; length++) {
    const { runner, thread } = setUp()
    runner.put(call(0, ['before']))
    runner.put(call(2, ['after']))
    const args = ['x'.repeat(length), length]
    const isTaken = runner.put(call(1, args))
    deepEqual([thread.take()?.args, thread.take()?.args], [['before'], ['after']])
    deepEqual(thread.take()?.args, isTaken ? args : undefined)
  }
})

test('a slot can be given out again before its former call was taken out, twice; then calls have to go elsewhere', () => {
  const { runner, thread } = setUp()
  for (let round = 0; round < 2; round++) {
    for (let slot = 0; slot < SLOTS; slot++) equal(runner.put(call(slot, [round])), true)
  }
  equal(runner.put(call(0, [2])), false)
  equal(runner.sent, 2 * SLOTS)
  for (let i = 0; i < 2 * SLOTS; i++) deepEqual(thread.take()?.args, [1])
  equal(thread.taken, 2 * SLOTS)
})

test('whatever stands in a slot, to take it does no harm: it may have been overwritten meanwhile', () => {
  const { runner, thread, memory } = setUp()
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 256, maxLength: 256 }), (bytes) => {
      runner.put(call(SLOTS - 1, []))
      memory.set(bytes, memory.length - 256 - 16)
      equal(thread.take()?.slot, SLOTS - 1)
    }),
    { numRuns: 2_000 },
  )
})
