import { deepEqual, equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { LanePort } from '../../src/protocol/lane-port.ts'

function pair(): [LanePort<string, unknown>, LanePort<string, unknown>] {
  const { port1, port2 } = new MessageChannel()
  return [new LanePort(port1), new LanePort(port2)]
}

function onLost(error: unknown): void {
  throw new Error('a message was lost', { cause: error })
}

test('messages are heard in their order', async () => {
  const [near, far] = pair()
  const heard: string[] = []
  near.listen((message) => heard.push(message), onLost)
  far.post('a')
  far.post('b')
  far.close()
  await near.closed
  deepEqual(heard, ['a', 'b'])
})

test('messages that have arrived can be taken before they are heard, and are not heard again', async () => {
  const [near, far] = pair()
  const heard: string[] = []
  near.listen((message) => heard.push(message), onLost)
  far.post('a')
  far.post('b')
  equal(near.take(), 'a')
  equal(near.take(), 'b')
  equal(near.take(), undefined)
  far.close()
  await near.closed
  deepEqual(heard, [])
})

test('a port that is being closed can be asked for what had arrived', async () => {
  const [near, far] = pair()
  near.listen(() => {}, onLost)
  far.post('a')
  near.close()
  equal(near.take(), 'a')
  await near.closed
})

test('a port that is closed, by either end, can be asked and has nothing', async () => {
  for (const closes of [0, 1] as const) {
    const ports = pair()
    ports[0].listen(() => {}, onLost)
    ports[closes].close()
    await ports[0].closed
    // Still in the event that tells of the end.
    equal(ports[0].take(), undefined)
    ports[0].post('to nobody')
    ports[0].close()
  }
})

test('a message that cannot be unpacked is told, with why', async () => {
  const { port1, port2 } = new MessageChannel()
  const near = new LanePort<string, unknown>(port1)
  const lost: unknown[] = []
  near.listen(onLost, (error) => lost.push(error))
  const error = new Error('no memory for it')
  // No value that travels makes Node do so at will.
  port1.emit('messageerror', error)
  port2.close()
  await near.closed
  deepEqual(lost, [error])
})

test('a message that cannot travel is refused', () => {
  const [near, far] = pair()
  throws(() => near.post(() => {}), { name: 'DataCloneError' })
  near.close()
  far.close()
})
