import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { LaneMemory, LOOKS, SLEEPS, SLOTS, WAITS } from '../../src/protocol/lane-memory.ts'

const LAST_GENERATION = 2 ** 30

/** The two sides of one lane, as its runner and its thread see it. */
function setUp(): { runner: LaneMemory; thread: LaneMemory } {
  const runner = new LaneMemory()
  return { runner, thread: new LaneMemory(runner.buffer) }
}

test('a call that is offered can be claimed, once', () => {
  const { runner, thread } = setUp()
  const generation = runner.offer(0, 0)
  equal(runner.isClaimed(0, generation), false)
  equal(thread.claim(0, generation, 12.5), true)
  equal(runner.isClaimed(0, generation), true)
  equal(thread.claim(0, generation, 13), false)
  deepEqual([runner.startedAt(0), runner.begun], [12.5, 1])
})

test('a call that was claimed cannot be revoked', () => {
  const { runner, thread } = setUp()
  const generation = runner.offer(3, 0)
  thread.claim(3, generation, 1)
  equal(runner.revoke(3, generation), false)
  equal(runner.isClaimed(3, generation), true)
})

test('a call that was revoked cannot be claimed', () => {
  const { runner, thread } = setUp()
  const generation = runner.offer(3, 0)
  equal(runner.revoke(3, generation), true)
  equal(thread.claim(3, generation, 1), false)
  deepEqual([runner.isClaimed(3, generation), runner.begun], [false, 0])
  equal(runner.revoke(3, generation), false)
})

test('a slot that was never offered can be neither claimed nor revoked', () => {
  const { runner, thread } = setUp()
  equal(thread.claim(5, 1, 1), false)
  equal(runner.revoke(5, 1), false)
  equal(runner.isClaimed(5, 1), false)
  equal(runner.isAborted(5, 1), false)
})

test('what is left of a revoked call cannot claim the call that has its slot now', () => {
  const { runner, thread } = setUp()
  const former = runner.offer(0, 0)
  runner.revoke(0, former)
  const present = runner.offer(0, former)
  notEqual(former, present)
  equal(thread.claim(0, former, 99), false)
  equal(runner.revoke(0, former), false)
  equal(thread.claim(0, present, 5), true)
  equal(thread.claim(0, former, 99), false)
  // The late one has not touched the time of the other.
  deepEqual([runner.startedAt(0), runner.begun], [5, 1])
  deepEqual([runner.isClaimed(0, present), runner.isClaimed(0, former)], [true, false])
})

test('a slot whose call ended is claimed anew by its next call', () => {
  const { runner, thread } = setUp()
  let generation = 0
  for (let i = 1; i <= 100; i++) {
    generation = runner.offer(7, generation)
    equal(runner.isClaimed(7, generation), false)
    equal(thread.claim(7, generation, i), true)
    thread.end(7, i + 0.5)
    deepEqual([runner.startedAt(7), runner.endedAt(7), runner.begun], [i, i + 0.5, i])
  }
})

test('generations start again at 1 after the last one', () => {
  const { runner, thread } = setUp()
  const last = runner.offer(0, LAST_GENERATION - 1)
  equal(last, LAST_GENERATION)
  equal(thread.claim(0, last, 1), true)
  equal(runner.isClaimed(0, last), true)
  const first = runner.offer(0, last)
  equal(first, 1)
  equal(thread.claim(0, last, 2), false)
  equal(runner.isClaimed(0, last), false)
  equal(thread.claim(0, first, 3), true)
  equal(runner.isClaimed(0, first), true)
})

test('an abort reaches the call that has the slot, and no later one', () => {
  const { runner, thread } = setUp()
  const former = runner.offer(2, 0)
  thread.claim(2, former, 1)
  equal(thread.isAborted(2, former), false)
  runner.abort(2, former)
  equal(thread.isAborted(2, former), true)
  const present = runner.offer(2, former)
  equal(thread.isAborted(2, present), false)
})

test('slots do not touch each other', () => {
  const { runner, thread } = setUp()
  const generations = Array.from({ length: SLOTS }, (_, slot) => runner.offer(slot, slot))
  for (const [slot, generation] of generations.entries()) {
    if (slot % 3 === 0) runner.revoke(slot, generation)
    else thread.claim(slot, generation, slot)
    if (slot % 3 === 1) runner.abort(slot, generation)
    thread.end(slot, -slot)
  }
  for (const [slot, generation] of generations.entries()) {
    const claimed = slot % 3 > 0
    equal(runner.isClaimed(slot, generation), claimed)
    equal(thread.isAborted(slot, generation), slot % 3 === 1)
    deepEqual([runner.startedAt(slot), runner.endedAt(slot)], [claimed ? slot : 0, -slot])
  }
  deepEqual([runner.begun, runner.posted], [generations.filter((_, slot) => slot % 3 > 0).length, 0])
})

test('the thread sees how many messages were posted', () => {
  const { runner, thread } = setUp()
  equal(thread.posted, 0)
  runner.countPosted()
  runner.countPosted()
  equal(thread.posted, 2)
})

test('the thread sees whether the runner looks by itself', () => {
  const { runner, thread } = setUp()
  equal(thread.runnerLooks, false)
  runner.runnerLooks = true
  equal(thread.runnerLooks, true)
})

test('a thread that looks need not be woken, one that waits is woken, and one that sleeps needs a message', () => {
  const { runner, thread } = setUp()
  equal(runner.wake(), false)
  thread.thread = LOOKS
  equal(runner.wake(), true)
  equal(thread.wakes, 0)
  thread.thread = WAITS
  equal(runner.wake(), true)
  equal(thread.wakes, 1)
  thread.thread = SLEEPS
  equal(runner.wake(), false)
})

test('a thread that was woken before it waits does not wait', () => {
  const { runner, thread } = setUp()
  const { wakes } = thread
  thread.thread = WAITS
  runner.wake()
  const began = performance.now()
  thread.awaitWake(wakes, 60_000)
  ok(performance.now() - began < 30_000)
})

test('there is room for every call, and for the result of each', () => {
  const { runner, thread } = setUp()
  const generations = Array.from({ length: SLOTS }, (_, slot) => runner.offer(slot, slot))
  for (const [slot, generation] of generations.entries()) {
    equal(runner.calls.put({ slot, generation, flags: 0, fn: 0, args: [slot, 'x'.repeat(100)], abortAfter: 0 }), true)
  }
  for (const [slot, generation] of generations.entries()) {
    deepEqual(thread.calls.take()?.args, [slot, 'x'.repeat(100)])
    thread.claim(slot, generation, slot)
    equal(thread.results.put(slot, generation, slot % 2, `result ${slot}`.padEnd(200)), true)
    thread.end(slot, slot + 0.5)
  }
  for (const [slot, generation] of generations.entries()) {
    const value = `result ${slot}`.padEnd(200)
    deepEqual(runner.results.take(), { slot, generation, kind: slot % 2, value })
    deepEqual([runner.startedAt(slot), runner.endedAt(slot)], [slot, slot + 0.5])
    deepEqual([runner.isClaimed(slot, generation), runner.isAborted(slot, generation)], [true, false])
  }
})
