import { deepEqual, equal } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Lookout, type Watched } from '../../../src/executors/threads/lookout.ts'
import { Patience } from '../../../src/protocol/patience.ts'

/** A lane whose thread leaves results when the test says so. */
class FakeLane implements Watched {
  isWatched = false
  left = 0
  heard = 0
  looks = 0

  hearResults(): boolean {
    this.looks += 1
    if (this.left === 0) return false
    this.heard += this.left
    this.left = 0
    return true
  }
}

interface SetUp {
  lane: FakeLane
  lookout: Lookout
  /** Moves the time on, in milliseconds. */
  pass: (ms: number) => void
}

function setUp(t: TestContext): SetUp {
  const lane = new FakeLane()
  let now = 1_000
  const pass = (ms: number): void => void (now += ms)
  // So that it ends.
  t.after(() => pass(1_000))
  return { lane, lookout: new Lookout([lane], new Patience(2), () => now), pass }
}

test('what a thread leaves is heard of without a message, as long as one result follows the other', async (t) => {
  const { lane, lookout, pass } = setUp(t)
  lookout.expect()
  equal(lane.isWatched, true)
  for (let i = 1; i <= 50; i++) {
    lane.left = 1
    pass(0.08)
    await setImmediate()
    deepEqual([lane.heard, lane.isWatched], [i, true])
  }
})

test('a lookout that finds nothing ends before long, tells the threads, and looks once more after that', async (t) => {
  const { lane, lookout, pass } = setUp(t)
  lookout.expect()
  await setImmediate()
  // One that leaves something just when the lookout ends, and was told that nobody needs to be woken.
  Object.defineProperty(lane, 'isWatched', {
    set(isWatched: boolean) {
      if (!isWatched) lane.left = 1
    },
  })
  pass(0.2)
  await setImmediate()
  const { looks } = lane
  await setImmediate()
  await setImmediate()
  deepEqual([lane.heard, lane.looks], [1, looks])
})

test('a lookout goes on for as long as more is expected', async (t) => {
  const { lane, lookout, pass } = setUp(t)
  lookout.expect()
  for (let i = 0; i < 20; i++) {
    pass(0.08)
    lookout.expect()
    await setImmediate()
    equal(lane.isWatched, true)
  }
})

test('the event loop turns between two looks', async (t) => {
  const { lane, lookout } = setUp(t)
  const journal: string[] = []
  lane.hearResults = () => {
    journal.push('look')
    return journal.length < 10
  }
  lookout.expect()
  for (let i = 0; i < 4; i++) {
    await setImmediate()
    journal.push('something else')
  }
  deepEqual(journal.slice(0, 6), ['look', 'something else', 'look', 'something else', 'look', 'something else'])
})

test('a lookout that finds nothing time after time is left out now and then', async (t) => {
  const { lane, lookout, pass } = setUp(t)
  let begun = 0
  for (let i = 0; i < 40; i++) {
    lookout.expect()
    if (!lane.isWatched) continue
    begun += 1
    pass(0.2)
    await setImmediate()
    equal(lane.isWatched, false)
  }
  equal(begun, 9)
})

test('a lookout ends when there is something else to do, and counts as one in vain whatever it has found', async (t) => {
  const { lane, lookout, pass } = setUp(t)
  let begun = 0
  for (let i = 0; i < 40; i++) {
    lookout.expect()
    if (!lane.isWatched) continue
    begun += 1
    await setImmediate()
    pass(2)
    lane.left = 1
    await setImmediate()
    deepEqual([lane.heard, lane.isWatched], [begun, false])
  }
  equal(begun, 9)
})
