import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { connect, type Client, type ConnectOptions } from '../../../src/client.ts'
import { startScript, type Child } from '../../helpers/child.ts'
import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { Signposts, until } from '../../helpers/latch.ts'
import { begin, end, factsOf, refused, untilRunning } from '../../suites/answers.ts'
import type { Calls } from '../../suites/place.ts'
import { UnreliableProxy } from './unreliable-proxy.ts'

cacheCompiled()

const NODE = new URL('../../fixtures/client/node.ts', import.meta.url)

/** Milliseconds by which a busy machine may be late. */
const LATE = 5_000

interface Place {
  posts: Signposts
  /** Kills the node with SIGKILL. Its address stays. */
  kill(): Promise<void>
  /** Starts the node, again where it has been killed. */
  start(): Promise<void>
  connect(options: ConnectOptions): Client<Calls>
}

/** A node in a process of its own, behind an address that outlives it. */
async function setUp(t: TestContext): Promise<Place> {
  const posts = new Signposts()
  let port = 1
  let child: Child | undefined
  const proxy = await UnreliableProxy.listen(() => port)
  const clients: Client<Calls>[] = []
  t.after(async () => {
    await Promise.all(clients.map((client) => client.disconnect()))
    child?.signal('SIGKILL')
    await child?.ended
    await proxy.close()
    posts.remove()
  })
  const place: Place = {
    posts,
    async start() {
      const path = posts.path()
      child = startScript(t, NODE, [path])
      await child.printed('serving')
      ;({ port: port as unknown } = new URL(readFileSync(path, 'utf8')) as { port: unknown })
    },
    async kill() {
      child?.signal('SIGKILL')
      await child?.ended
    },
    connect(options) {
      const client = connect<Calls>(`http://127.0.0.1:${proxy.port}`, options)
      clients.push(client)
      return client
    },
  }
  await place.start()
  return place
}

test('a node that is killed during a wait is told of in time, and what is not sent has not started', async (t) => {
  const { posts, kill, connect: connectTo } = await setUp(t)
  const client = connectTo({ margin: 1_000 })
  const latch = posts.latch()
  await client.ready()
  const id = await begin(client, 'hold', [latch.path])
  await untilRunning(client, id)
  const waiting = refused(end(client, id), 'NODE_UNREACHABLE')
  const calling = refused(client.call('hold', [latch.path]), 'NODE_UNREACHABLE')
  await until('both', async () => (await client.list()).calls.length === 2)
  const killedAt = performance.now()
  await kill()
  const [wait, call] = await Promise.all([waiting, calling])
  assert.ok(performance.now() - killedAt < 1_000 + LATE)
  assert.deepEqual([wait.id, wait.started, wait.retryable], [id, 'unknown', true])
  assert.deepEqual(factsOf(call), { fn: 'hold', started: 'unknown', retryable: true })

  const stranger = connectTo({ margin: 100 })
  const error = await refused(stranger.start('add', [1, 2]), 'NODE_UNREACHABLE')
  assert.deepEqual(factsOf(error), { fn: 'add', started: 'no', retryable: true })
})

test('calls of a node that was restarted are lost, none of them runs on the new one, and that takes others', async (t) => {
  const { posts, kill, start, connect: connectTo } = await setUp(t)
  const client = connectTo({ margin: 20_000 })
  const [latch, trail] = [posts.latch(), posts.trail()]
  const id = await begin(client, 'hold', [latch.path])
  const wait = refused(end(client, id), 'CALL_LOST')
  // The node has it, and its answer is still to come.
  const call = refused(client.call('holdThenLeave', [latch.path, trail.path, 'ran']), 'CALL_LOST')
  await until('both', async () => (await client.list()).calls.length === 2)
  await kill()
  latch.open()
  await start()
  assert.equal((await wait).started, 'unknown')
  assert.deepEqual(factsOf(await call), { fn: 'holdThenLeave', started: 'unknown', retryable: false })
  await refused(client.cancel(id), 'CALL_LOST')
  assert.deepEqual(trail.read(), [])
  assert.equal(await client.call('add', [1, 2]), 3)
  assert.deepEqual(client.stats().calls, { queued: 0, running: 0, finished: 0 })
})
