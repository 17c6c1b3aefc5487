import { deepEqual, equal } from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { MessageChannel, Worker } from 'node:worker_threads'
import { ThreadChannel } from '../../src/host/thread-channel.ts'
import { LaneMemory } from '../../src/protocol/lane-memory.ts'
import { LanePort } from '../../src/protocol/lane-port.ts'
import { CALL_FIELDS, type FromHost, type ToHost } from '../../src/protocol/messages.ts'

interface SetUp {
  channel: ThreadChannel
  memory: LaneMemory
  /** Posts a call as the runner does. */
  post: (slot: number) => void
  /** Puts one into shared memory. */
  put: (slot: number) => void
  /** What the thread has posted. */
  posted: () => FromHost[]
}

function setUp(t: TestContext): SetUp {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  const memory = new LaneMemory()
  const runner = new LanePort<FromHost, ToHost>(port1)
  const thread = new LanePort<ToHost, FromHost>(port2)
  return {
    channel: new ThreadChannel(thread, new LaneMemory(memory.buffer), ['zero', 'one']),
    memory,
    post(slot) {
      runner.post({ type: 'run', calls: [slot, 1, 0, 'zero', [slot], 0], after: memory.calls.sent })
      memory.countPosted()
    },
    put: (slot) => void memory.calls.put({ slot, generation: 1, flags: 0, fn: 1, args: [slot], abortAfter: 0 }),
    posted: () => Array.from({ length: 10 }, () => runner.take()).filter((message) => message !== undefined),
  }
}

/** The slots of the calls of a message. */
function callsOf(message: ToHost | undefined): unknown[] {
  return message?.type === 'run' ? message.calls.filter((_, i) => i % CALL_FIELDS === 0) : []
}

/** The slots of all calls that are there, in the order in which they are taken. */
function slotsIn(channel: ThreadChannel): unknown[] {
  const slots: unknown[] = []
  for (let message = channel.take(); message; message = channel.take()) {
    slots.push(...callsOf(message))
  }
  return slots
}

test('calls are taken in the order in which they were sent, by whichever way', (t) => {
  const { channel, post, put } = setUp(t)
  put(1)
  post(2)
  post(3)
  put(4)
  put(5)
  post(6)
  put(7)
  deepEqual(slotsIn(channel), [1, 2, 3, 4, 5, 6, 7])
})

test('the same holds when a message comes by itself after others were looked for', (t) => {
  const { channel, put } = setUp(t)
  put(1)
  put(2)
  channel.arrive({ type: 'run', calls: [3, 1, 0, 'zero', [], 0], after: 2 })
  put(4)
  channel.arrive({ type: 'look' })
  deepEqual(slotsIn(channel), [1, 2, 3, 4])
})

test('a call that came by shared memory has the name of its function, and its arguments', (t) => {
  const { channel, put } = setUp(t)
  put(4)
  deepEqual(channel.take(), { type: 'run', calls: [4, 1, 0, 'one', [4], 0], after: 1 })
})

test('a thread that takes need not be woken, and one that rests must be', (t) => {
  const { channel, memory } = setUp(t)
  equal(memory.wake(), false)
  channel.take()
  equal(memory.wake(), true)
  equal(channel.rest(), false)
  equal(memory.wake(), false)
})

test('a thread that finds nothing waits for a while, and then goes back to its event loop', (t) => {
  const { channel, memory } = setUp(t)
  equal(channel.look(), undefined)
  channel.rest()
  equal(memory.wake(), false)
})

test('a thread that looks finds what came in before', (t) => {
  const { channel, put, post } = setUp(t)
  channel.take()
  put(1)
  deepEqual(callsOf(channel.look()), [1])
  post(2)
  deepEqual(callsOf(channel.look()), [2])
})

test('a thread that waits is woken by the runner', { timeout: 30_000 }, async () => {
  const buffer = new LaneMemory().buffer
  const url = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)
  const source = `
    import { workerData, parentPort } from 'node:worker_threads'
    import { LaneMemory, WAITS } from ${url('protocol/lane-memory.ts')}
    const memory = new LaneMemory(workerData)
    const { wakes } = memory
    memory.thread = WAITS
    parentPort.postMessage('waits')
    memory.awaitWake(wakes, 1e9)
    parentPort.postMessage('woken')`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: buffer })
  const [waits] = (await once(worker, 'message')) as [string]
  const woken = once(worker, 'message')
  equal(new LaneMemory(buffer).wake(), true)
  deepEqual([waits, ...((await woken) as [string])], ['waits', 'woken'])
})

test('a thread that is about to rest sees what came before it said so', (t) => {
  const { channel, put } = setUp(t)
  channel.take()
  put(1)
  equal(channel.rest(), true)
  deepEqual(slotsIn(channel), [1])
})

test('the runner is woken for results unless it looks by itself', (t) => {
  const { channel, memory, posted } = setUp(t)
  equal(channel.leave(3, 1, 0, 'value'), true)
  memory.runnerLooks = true
  channel.tell()
  deepEqual(posted(), [])
  memory.runnerLooks = false
  channel.tell()
  deepEqual(posted(), [{ type: 'look' }])
  deepEqual(memory.results.take(), { slot: 3, generation: 1, kind: 0, value: 'value' })
})

test('no result is left where it could be found before what was reported and not heard', (t) => {
  const { channel, memory } = setUp(t)
  channel.report({ type: 'progress', slot: 0, generation: 1, value: 1 })
  equal(channel.leave(0, 1, 0, 'value'), false)
  memory.heard = 1
  equal(channel.leave(0, 1, 0, 'value'), true)
})
