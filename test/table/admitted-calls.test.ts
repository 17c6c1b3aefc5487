import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { AdmittedCalls } from '../../src/table/admitted-calls.ts'
import type { Call } from '../../src/table/call.ts'
import { newCall } from '../helpers/fake-executor.ts'

const numbered = (count: number): Call[] => Array.from({ length: count }, (_, i) => newCall({ seq: i + 1 }))
const numbersOf = (calls: Iterable<Call>): number[] => Array.from(calls, ({ seq }) => seq)

test('admitted calls come in the order of their admission, from any of them on', () => {
  const admitted = new AdmittedCalls()
  for (const call of numbered(4)) admitted.add(call)
  deepEqual(numbersOf(admitted.after(0)), [1, 2, 3, 4])
  deepEqual(numbersOf(admitted.after(2)), [3, 4])
  deepEqual(numbersOf(admitted.after(4)), [])
})

test('admitted calls are taken out at the front, in the midst, at the end, and when alone', () => {
  const admitted = new AdmittedCalls()
  const calls = numbered(5)
  for (const call of calls) admitted.add(call)
  const out = (seq: number): number[] => {
    const call = calls[seq - 1] as Call
    admitted.delete(call)
    equal(admitted.has(call), false)
    return numbersOf(admitted.after(0))
  }
  deepEqual(out(3), [1, 2, 4, 5])
  deepEqual(out(1), [2, 4, 5])
  deepEqual(out(5), [2, 4])
  deepEqual(out(5), [2, 4], 'once more')
  deepEqual(out(2), [4])
  equal(admitted.has(calls[3] as Call), true)
  deepEqual(out(4), [])
})

test('an admitted call that was taken out holds on to no other', () => {
  const admitted = new AdmittedCalls()
  const [first, second, third] = numbered(3) as [Call, Call, Call]
  for (const call of [first, second, third]) admitted.add(call)
  admitted.delete(second)
  deepEqual([second.before, second.after], [undefined, undefined])
})
