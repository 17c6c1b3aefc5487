import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { Bag } from '../../src/table/bag.ts'
import type { Call } from '../../src/table/call.ts'
import { newCall } from '../helpers/fake-executor.ts'

const numbered = (count: number): Call[] => Array.from({ length: count }, (_, i) => newCall({ seq: i + 1 }))

test('things are taken out of a bag in any order', () => {
  const bag = new Bag<Call>()
  const calls = numbered(4)
  for (const call of calls) bag.add(call)
  const left = new Set(calls)
  for (const at of [1, 3, 0, 2]) {
    const call = calls[at] as Call
    bag.delete(call)
    left.delete(call)
    deepEqual(new Set(bag), left)
    equal(bag.size, left.size)
  }
})

test('things can be taken out of a bag while it is gone through', () => {
  const bag = new Bag<Call>()
  const calls = numbered(3)
  for (const call of calls) bag.add(call)
  const seen = []
  for (const call of bag) {
    bag.delete(call)
    seen.push(call.seq)
  }
  deepEqual(seen.toSorted(), [1, 2, 3])
  equal(bag.size, 0)
})
