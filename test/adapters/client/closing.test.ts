import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { connect, type Client } from '../../../src/client.ts'
import { serve } from '../../../src/http.ts'
import { createRunner, type Runner } from '../../../src/index.ts'
import { Signposts, until } from '../../helpers/latch.ts'
import { begin, end, isPending, onlyCall, refused, untilRunning, valueOf } from '../../suites/answers.ts'
import { CALLS, type Calls } from '../../suites/place.ts'

interface Place {
  runner: Runner<Calls>
  posts: Signposts
  connect(): Client<Calls>
}

async function setUp(t: TestContext): Promise<Place> {
  const runner = createRunner<Calls>({ functions: CALLS, threads: { max: 2 } })
  const node = await serve(runner, { port: 0, functions: ['add', 'hold', 'throwWhenAborted'] })
  const posts = new Signposts()
  const clients: Client<Calls>[] = []
  t.after(async () => {
    await Promise.all(clients.map((client) => client.disconnect()))
    await node.close({ abort: true, grace: 0 })
    posts.remove()
  })
  return {
    runner,
    posts,
    connect() {
      const client = connect<Calls>(node.url)
      clients.push(client)
      return client
    },
  }
}

test('a client that closes ends neither the node nor the calls of others', async (t) => {
  const { posts, connect: connectTo } = await setUp(t)
  const [one, other] = [connectTo(), connectTo()]
  const latch = posts.latch()
  const id = await begin(other, 'hold', [latch.path, "the other's"])
  await untilRunning(other, id)
  await one.close({ abort: true, grace: 0 })
  assert.equal((await other.wait(id, { timeout: 0 })).finished, false)
  latch.open()
  assert.equal(valueOf(await end(other, id)), "the other's")
  assert.equal(await other.call('add', [1, 2]), 3)
})

test("a wait for another's call does not keep a client from closing", async (t) => {
  const { posts, connect: connectTo } = await setUp(t)
  const [one, other] = [connectTo(), connectTo()]
  const latch = posts.latch()
  const id = await begin(other, 'hold', [latch.path])
  const wait = refused(end(one, id), 'RUNNER_CLOSED')
  await until('the wait', async () => one.stats().waits === 1)
  await one.close()
  await wait
  latch.open()
})

test('everything is refused by a client that is closed', async (t) => {
  const client = (await setUp(t)).connect()
  const id = await begin(client, 'add', [1, 2])
  await client.close()
  for (const asked of [
    client.start('add', [1, 2]),
    client.wait(id),
    client.wait(id, { timeout: 0 }),
    client.call('add', [1, 2]),
    client.cancel(id),
    client.list(),
    client.forget(id),
    client.ready(),
  ]) {
    await refused(asked, 'RUNNER_CLOSED')
  }
})

test('a client that disconnects leaves its calls to the node, and answers for none', async (t) => {
  const { runner, posts, connect: connectTo } = await setUp(t)
  const [client, other] = [connectTo(), connectTo()]
  const latch = posts.latch()
  const id = await begin(client, 'hold', [latch.path, 'went on'])
  await untilRunning(client, id)
  const pending = [
    refused(end(client, id), 'RUNNER_CLOSED'),
    refused(client.wait(id, { timeout: 60_000 }), 'RUNNER_CLOSED'),
    refused(client.call('hold', [latch.path, 'called']), 'RUNNER_CLOSED'),
  ]
  await until('the call', () => runner.stats().calls.running === 2)
  await client.disconnect()
  await Promise.all(pending)
  await client.close()
  assert.equal((await other.wait(id, { timeout: 0 })).finished, false)
  latch.open()
  assert.equal(valueOf(await end(other, id)), 'went on')
})

test('close waits for a call whose start is under way, and close with abort cancels it by its key', async (t) => {
  const { runner, posts, connect: connectTo } = await setUp(t)
  const [one, other] = [connectTo(), connectTo()]
  const latch = posts.latch()
  const called = one.call('hold', [latch.path, 'value'])
  await until('the call', () => runner.stats().calls.running === 1)
  const closed = one.close()
  assert.ok(await isPending(closed))
  latch.open()
  assert.equal(await called, 'value')
  await closed

  const aborted = refused(other.call('throwWhenAborted', []), 'ABORTED')
  await untilRunning(other, await onlyCall(other))
  await other.close({ abort: true, grace: 600_000 })
  assert.equal((await aborted).step, 'cooperative')
})
