import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
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

function setUp(): { lane: FakeLane; lookout: Lookout } {
  const lane = new FakeLane()
  return { lane, lookout: new Lookout([lane], new Patience(2)) }
}

test('what a thread leaves is heard of without a message, as long as one result follows the other', async () => {
  const { lane, lookout } = setUp()
  lookout.expect()
  equal(lane.isWatched, true)
  for (let i = 1; i <= 50 && lane.isWatched; i++) {
    lane.left = 1
    await setImmediate()
    equal(lane.heard, i)
  }
})

test('a lookout that finds nothing ends before long, tells the threads, and looks once more after that', async () => {
  const { lane, lookout } = setUp()
  lookout.expect()
  // One that leaves something just when the lookout ends, and was told that nobody needs to be woken.
  Object.defineProperty(lane, 'isWatched', {
    set(isWatched: boolean) {
      if (!isWatched) lane.left = 1
    },
  })
  while (lane.heard === 0) await setImmediate()
  const { looks } = lane
  await setImmediate()
  await setImmediate()
  equal(lane.looks, looks)
})

test('the event loop turns between two looks', async () => {
  const { lane, lookout } = setUp()
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

test('after looks in vain a lookout is left out now and then', async () => {
  const { lane, lookout } = setUp()
  let begun = 0
  for (let i = 0; i < 40; i++) {
    lookout.expect()
    if (!lane.isWatched) continue
    begun += 1
    while (lane.isWatched) await setImmediate()
  }
  equal(begun, 9)
})
