import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Call } from '../../src/table/call.ts'
import { ExpiryHeap } from '../../src/table/expiry-heap.ts'
import { newCall } from '../helpers/fake-executor.ts'

test('an empty heap has no next time and gives up nothing', () => {
  const heap = new ExpiryHeap()
  equal(heap.nextAt, undefined)
  equal(heap.takeExpired(Infinity), undefined)
  heap.delete(newCall())
  equal(heap.nextAt, undefined)
})

test('a call expires at its time, not before', () => {
  const heap = new ExpiryHeap()
  const call = newCall()
  heap.add(call, 10)
  equal(heap.takeExpired(9.999), undefined)
  equal(heap.takeExpired(10), call)
  equal(heap.takeExpired(10), undefined)
})

test('a call that was taken out, or deleted, can be added again', () => {
  const heap = new ExpiryHeap()
  const call = newCall()
  heap.add(call, 10)
  heap.delete(call)
  heap.delete(call)
  heap.add(call, 20)
  equal(heap.nextAt, 20)
  equal(heap.takeExpired(20), call)
})

type Step = { do: 'add'; at: number } | { do: 'delete'; which: number } | { do: 'take'; now: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add' as const), at: fc.integer({ min: 0, max: 50 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const), now: fc.integer({ min: 0, max: 50 }) }) },
)

test('the heap gives what a sorted list gives, also with calls taken out of its middle', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new ExpiryHeap()
      const model = new Map<Call, number>()
      const first = (): number | undefined => (model.size === 0 ? undefined : Math.min(...model.values()))
      const take = (now: number): void => {
        const taken = heap.takeExpired(now)
        const next = first()
        // Of those that expire at the same time, any.
        if (next === undefined || next > now) equal(taken, undefined)
        else equal(model.get(taken as Call), next)
        if (taken) model.delete(taken)
      }
      for (const [i, each] of steps.entries()) {
        if (each.do === 'add') {
          const call = newCall({ seq: i })
          heap.add(call, each.at)
          model.set(call, each.at)
        } else if (each.do === 'delete') {
          const call = [...model.keys()][each.which % Math.max(1, model.size)]
          if (call) heap.delete(call)
          if (call) model.delete(call)
        } else take(each.now)
        equal(heap.nextAt, first())
      }
      while (model.size > 0) take(Infinity)
      equal(heap.nextAt, undefined)
    }),
    { numRuns: 500 },
  )
})

test('thousands of calls come out in the order of their times', () => {
  const heap = new ExpiryHeap()
  const times = Array.from({ length: 5_000 }, (_, i) => (i * 7_919) % 5_003)
  const calls = times.map((at, seq) => {
    const call = newCall({ seq })
    heap.add(call, at)
    return call
  })
  // A third leaves before its time.
  for (const [i, call] of calls.entries()) if (i % 3 === 0) heap.delete(call)
  const left = times.filter((_, i) => i % 3 !== 0)
  const out: number[] = []
  for (let call = heap.takeExpired(Infinity); call; call = heap.takeExpired(Infinity))
    out.push(times[call.seq] as number)
  deepEqual(
    out,
    left.toSorted((a, b) => a - b),
  )
})
