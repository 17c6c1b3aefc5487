import { deepEqual, equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { LanePort } from '../../src/protocol/lane-port.ts'

function pair(): [LanePort<string, unknown>, LanePort<string, unknown>] {
  const { port1, port2 } = new MessageChannel()
  return [new LanePort(port1), new LanePort(port2)]
}

test('messages are heard in their order', async () => {
  const [near, far] = pair()
  const heard: string[] = []
  near.listen((message) => heard.push(message))
  far.post('a')
  far.post('b')
  far.close()
  await near.closed
  deepEqual(heard, ['a', 'b'])
})

test('messages that have arrived can be taken before they are heard, and are not heard again', async () => {
  const [near, far] = pair()
  const heard: string[] = []
  near.listen((message) => heard.push(message))
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
  near.listen(() => {})
  far.post('a')
  near.close()
  equal(near.take(), 'a')
  await near.closed
})

test('a port that is closed, by either end, can be asked and has nothing', async () => {
  for (const closes of [0, 1] as const) {
    const ports = pair()
    ports[0].listen(() => {})
    ports[closes].close()
    await ports[0].closed
    // Still in the event that tells of the end.
    equal(ports[0].take(), undefined)
    ports[0].post('to nobody')
    ports[0].close()
  }
})

test('a message that cannot travel is refused', () => {
  const [near, far] = pair()
  throws(() => near.post(() => {}), { name: 'DataCloneError' })
  near.close()
  far.close()
})
