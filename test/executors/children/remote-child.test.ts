import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { RemoteChild } from '../../../src/executors/children/remote-child.ts'

function newChild(): { child: RemoteChild; signalled: string[] } {
  const signalled: string[] = []
  const child = new RemoteChild({ streams: 5, onConnected: () => {}, signal: (signal) => void signalled.push(signal) })
  child.hasSpawned({ type: 'spawned', id: 1, pid: 1_000_000, tools: 'start-' })
  return { child, signalled }
}

test('a child is signalled until it has ended, however it did', () => {
  const ends: ((child: RemoteChild) => void)[] = [
    (child) => child.hasExited({ type: 'exited', id: 1, code: 0, signal: null, isMemoryShort: false }),
    (child) => child.hasFailed('ENOENT', 'no such program'),
    (child) => child.isLost(),
  ]
  for (const end of ends) {
    const { child, signalled } = newChild()
    child.signal('SIGTERM')
    end(child)
    child.signal('SIGTERM')
    child.signal('SIGKILL')
    deepEqual(signalled, ['SIGTERM'], String(end))
  }
})

test('how a child ended is told as the spawner tells it', async () => {
  const exits = [
    { code: null, signal: 'SIGKILL', isMemoryShort: true },
    { code: null, signal: 'SIGKILL', isMemoryShort: false, exceeded: 'memory' },
    { code: 3, signal: null, isMemoryShort: false },
  ] as const
  for (const exit of exits) {
    const { child } = newChild()
    child.hasExited({ type: 'exited', id: 1, ...exit })
    deepEqual(await child.exited, exit)
  }
})
