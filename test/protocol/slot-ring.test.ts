import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { SlotRing } from '../../src/protocol/slot-ring.ts'

const CAPACITY = 4

/** The two sides of one ring. */
function setUp(buffer = new SharedArrayBuffer(SlotRing.bytesFor(CAPACITY))): { from: SlotRing; to: SlotRing } {
  return { from: new SlotRing(buffer, 0, CAPACITY), to: new SlotRing(buffer, 0, CAPACITY) }
}

test('entries are taken in the order in which they were put in', () => {
  const { from, to } = setUp()
  equal(to.take(), false)
  from.push(3, 7)
  from.push(1, 8)
  deepEqual([to.take(), to.slot, to.generation], [true, 3, 7])
  deepEqual([to.take(), to.slot, to.generation], [true, 1, 8])
  equal(to.take(), false)
})

test('a ring is full when it holds as many entries as it has room for', () => {
  const { from, to } = setUp()
  for (let i = 0; i < CAPACITY; i++) {
    equal(from.isFull, false)
    from.push(i, i)
  }
  equal(from.isFull, true)
  to.take()
  equal(from.isFull, false)
})

test('its counters go on at the other end of 32 bits', () => {
  const buffer = new SharedArrayBuffer(SlotRing.bytesFor(CAPACITY))
  const words = new Int32Array(buffer)
  const last = 2 ** 31 - 1
  words[0] = last
  words[16] = last
  const { from, to } = setUp(buffer)
  for (let i = 0; i < CAPACITY; i++) from.push(i, 10 + i)
  equal(from.isFull, true)
  for (let i = 0; i < CAPACITY; i++) deepEqual([to.take(), to.slot, to.generation], [true, i, 10 + i])
  deepEqual([to.take(), to.head, to.tail], [false, -(2 ** 31) + 3, -(2 ** 31) + 3])
})

test('another thread finds each of 200,000 entries once, in order', { timeout: 60_000 }, async () => {
  const capacity = 1_024
  const buffer = new SharedArrayBuffer(SlotRing.bytesFor(capacity))
  const count = 200_000
  const source = `
    import { parentPort, workerData } from 'node:worker_threads'
    import { SlotRing } from ${JSON.stringify(new URL('../../src/protocol/slot-ring.ts', import.meta.url).href)}
    const ring = new SlotRing(workerData, 0, ${capacity})
    for (let i = 0; i < ${count};) {
      if (!ring.take()) continue
      if (ring.slot !== i || ring.generation !== -i) throw new Error(i + ': ' + ring.slot)
      i += 1
    }
    parentPort.postMessage('all')`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: buffer })
  const end = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  const from = new SlotRing(buffer, 0, capacity)
  for (let i = 0; i < count;) {
    // The other one may wait for this processor.
    if (from.isFull) await setImmediate()
    else from.push(i, -i++)
  }
  equal(await end, 'all')
})
