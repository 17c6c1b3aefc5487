import { deepEqual } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { FromSpawner } from '../../src/protocol/spawner-messages.ts'
import { Child } from '../../src/spawner/child.ts'
import { StartTools } from '../../src/spawner/start-tools.ts'
import { signposts } from '../fixtures/processes/harness.ts'

interface Started {
  child: Child
  pid: number
  /** What the system was asked to signal: 0 asks whether there is such a process. */
  signalled: [pid: number, signal: NodeJS.Signals | 0][]
  told: FromSpawner[]
  ended: Promise<void>
}

interface Surroundings {
  /** Whether another process has its number as soon as it has ended. */
  isNumberTaken?: boolean
  countKernelKills?: () => number
}

async function startChild(
  t: TestContext,
  command: string[],
  { isNumberTaken = false, countKernelKills }: Surroundings = {},
): Promise<Started> {
  const signalled: Started['signalled'] = []
  const { kill } = process
  t.mock.method(process, 'kill', (pid: number, signal: NodeJS.Signals | 0) => {
    signalled.push([pid, signal])
    return (isNumberTaken && signal === 0) || Reflect.apply(kill, process, [pid, signal])
  })
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const told: FromSpawner[] = []
  const { folder } = signposts(t)
  const owner = {
    folder,
    tools: new StartTools(folder),
    mark: 'mark',
    tell: (message: FromSpawner) => void told.push(message),
    childStarted: () => {},
    childEnded: () => resolve(),
  }
  const child = new Child({ id: 1, command, streams: 3, env: {}, limits: { memory: 1 } }, owner, countKernelKills)
  let streams = 0
  const server = createServer((stream) => {
    t.after(() => stream.destroy())
    streams += 1
    if (streams === 3) child.connected()
  })
  t.after(() => server.close())
  server.listen(join(owner.folder, 'socket'))
  await once(server, 'listening')
  await child.start()
  const [spawned] = told
  if (spawned?.type !== 'spawned') throw new Error('it was not started')
  return { child, pid: spawned.pid, signalled, told, ended }
}

describe('a child', () => {
  test('is signalled with its group while it runs', async (t) => {
    const { child, pid, signalled, ended } = await startChild(t, ['sleep', '1000'])
    child.signal('SIGTERM')
    deepEqual(signalled, [[-pid, 'SIGTERM']])
    await ended
  })

  test('that has ended is never signalled: its number may be another process by now', async (t) => {
    for (const end of ['exit 3', 'kill -KILL $$']) {
      const { child, signalled, ended } = await startChild(t, ['sh', '-c', end])
      await ended
      signalled.length = 0
      child.signal('SIGTERM')
      child.signal('SIGKILL')
      child.checkLimits({ memory: Infinity, cpuTime: Infinity, processes: [child.pid] })
      deepEqual(signalled, [], end)
    }
  })

  test('takes what is left of its group along', async (t) => {
    const { pid, signalled, ended } = await startChild(t, ['true'])
    await ended
    deepEqual(signalled, [
      [pid, 0],
      [-pid, 'SIGKILL'],
    ])
  })

  test('whose number is another process by then does nothing to the group of that number', async (t) => {
    const { pid, signalled, ended } = await startChild(t, ['true'], { isNumberTaken: true })
    await ended
    deepEqual(signalled, [[pid, 0]])
  })

  test('tells whether the kernel has killed anything for want of memory from its start to its end', async (t) => {
    for (const [before, after] of [
      [3, 4],
      [3, 3],
    ] as const) {
      const counts = [before, after]
      const { told, ended } = await startChild(t, ['true'], { countKernelKills: () => counts.shift() ?? NaN })
      await ended
      deepEqual(told[1], { type: 'exited', id: 1, code: 0, signal: null, isMemoryShort: after > before })
    }
  })
})
