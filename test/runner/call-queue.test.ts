import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CallQueue } from '../../src/runner/call-queue.ts'
import type { Call } from '../../src/table/call.ts'
import { newCall } from '../helpers/fake-executor.ts'

/** Milliseconds of waiting that count as one step of priority, as `priority` is documented. */
const SECOND = 1_000

function queueOf(...calls: Call[]): CallQueue {
  const queue = new CallQueue()
  for (const call of calls) queue.push(call)
  return queue
}

function takeAll(queue: CallQueue): number[] {
  const seqs: number[] = []
  for (let call = queue.take(); call; call = queue.take()) seqs.push(call.seq)
  return seqs
}

test('an empty queue has nothing to give', () => {
  const queue = new CallQueue()
  deepEqual([queue.size, queue.peek(), queue.take(), queue.delete(newCall())], [0, undefined, undefined, false])
})

test('calls of one priority go first in, first out', () => {
  equal(takeAll(queueOf(newCall({ seq: 1 }), newCall({ seq: 2 }), newCall({ seq: 3 }))).join(), '1,2,3')
})

test('a higher priority goes first', () => {
  const queue = queueOf(
    newCall({ seq: 1, priority: 0 }),
    newCall({ seq: 2, priority: -100 }),
    newCall({ seq: 3, priority: 100 }),
    newCall({ seq: 4, priority: 1 }),
    newCall({ seq: 5, priority: 100 }),
  )
  equal(takeAll(queue).join(), '3,5,4,1,2')
})

test('each second of waiting counts as one step of priority', () => {
  const old = newCall({ seq: 1, priority: 0, admittedAt: 0 })
  const newer = newCall({ seq: 2, priority: 5, admittedAt: 5 * SECOND - 1 })
  const newest = newCall({ seq: 3, priority: 5, admittedAt: 5 * SECOND + 1 })
  equal(takeAll(queueOf(old, newer, newest)).join(), '2,1,3')
})

test('a call of the lowest priority does not starve behind ever new ones of the highest', () => {
  const queue = queueOf(newCall({ seq: 0, priority: -100, admittedAt: 0 }))
  let time = 0
  for (let seq = 1; ; seq++) {
    time += 100
    queue.push(newCall({ seq, priority: 100, admittedAt: time }))
    if (queue.take()?.seq === 0) break
    ok(time <= 200 * SECOND, 'it goes once it has waited a second for each step between them')
  }
  equal(queue.size, 1)
})

test('peek shows the call that take gives', () => {
  const queue = queueOf(newCall({ seq: 1 }), newCall({ seq: 2, priority: 3 }), newCall({ seq: 3, priority: -3 }))
  while (queue.size > 0) {
    const next = queue.peek()
    ok(next)
    equal(queue.take(), next)
  }
  equal(queue.peek(), undefined)
})

test('a call that is put back is where it was', () => {
  const calls = [1, 2, 3, 4, 5].map((seq) => newCall({ seq }))
  const queue = queueOf(...calls)
  const [first, second, third] = [queue.take(), queue.take(), queue.take()] as [Call, Call, Call]
  queue.putBack(second)
  queue.putBack(third)
  queue.push(newCall({ seq: 6 }))
  queue.putBack(first)
  equal(queue.size, 6)
  equal(takeAll(queue).join(), '1,2,3,4,5,6')
})

test('a call that is put back in an empty queue is its only one', () => {
  const queue = queueOf(newCall({ seq: 1 }))
  queue.putBack(queue.take() as Call)
  deepEqual([queue.size, queue.take()?.seq, queue.size], [1, 1, 0])
})

test('a call can be deleted wherever it is, once', () => {
  for (const at of [0, 1, 2, 3, 4]) {
    const calls = [1, 2, 3, 4, 5].map((seq) => newCall({ seq }))
    const queue = queueOf(...calls)
    const call = calls[at] as Call
    equal(queue.delete(call), true)
    equal(queue.delete(call), false)
    equal(queue.size, 4)
    deepEqual(
      takeAll(queue),
      calls.filter((each) => each !== call).map(({ seq }) => seq),
    )
  }
})

test('a call that was taken, or is of another queue, cannot be deleted', () => {
  const [taken, left] = [newCall({ seq: 1 }), newCall({ seq: 2 })]
  const queue = queueOf(taken, left)
  queue.take()
  equal(queue.delete(taken), false)
  equal(queue.delete(newCall({ seq: 3, priority: 9 })), false)
  deepEqual([queue.size, queue.take()], [1, left])
})

type Step =
  | { do: 'push'; priority: number; pause: number }
  | { do: 'take' }
  | { do: 'putBack' | 'delete'; which: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      priority: fc.constantFrom(-100, -1, 0, 1, 2, 100),
      pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 * SECOND })),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'take' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('putBack' as const, 'delete' as const), which: fc.nat() }) },
)

test('the queue gives what a list that is sorted anew each time gives', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const queue = new CallQueue()
      let model: Call[] = []
      const taken: Call[] = []
      let now = 0
      let seq = 0

      const take = (): void => {
        const call = queue.take()
        if (model.length === 0) return equal(call, undefined)
        ok(call && model.includes(call))
        const rank = ({ admittedAt, priority }: Call): number => admittedAt - priority * SECOND
        equal(rank(call), Math.min(...model.map(rank)))
        const equals = model.filter(({ priority }) => priority === call.priority)
        equal(call.seq, Math.min(...equals.map((each) => each.seq)), 'first in, first out')
        model = model.filter((each) => each !== call)
        taken.push(call)
      }

      for (const each of steps) {
        if (each.do === 'push') {
          now += each.pause
          seq += 1
          const call = newCall({ seq, priority: each.priority, admittedAt: now })
          queue.push(call)
          model.push(call)
        } else if (each.do === 'take') take()
        else if (each.do === 'putBack') {
          const [call] = taken.splice(each.which % Math.max(1, taken.length), 1)
          if (call) queue.putBack(call)
          if (call) model.push(call)
        } else {
          const all = [...model, ...taken]
          const call = all[each.which % Math.max(1, all.length)]
          if (!call) continue
          equal(queue.delete(call), model.includes(call))
          model = model.filter((other) => other !== call)
        }
        equal(queue.size, model.length)
      }
      while (model.length > 0) take()
      deepEqual([queue.size, queue.peek()], [0, undefined])
    }),
    { numRuns: 500 },
  )
})
