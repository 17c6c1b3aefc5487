import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { readCall } from '../../../src/adapters/client/call-request.ts'
import { createClient } from '../../../src/adapters/client/connect.ts'
import type { RemoteRunner } from '../../../src/adapters/client/remote-runner.ts'
import { NODE_HEADER } from '../../../src/adapters/wire/headers.ts'
import type { StartOptions } from '../../../src/index.ts'
import { until } from '../../helpers/latch.ts'
import { errorOf, factsOf, refused, thrownBy, valueOf } from '../../suites/answers.ts'
import type { Calls } from '../../suites/place.ts'
import { FINISHED, fakeNode, send, sendProblem, UNFINISHED, type Asked, type FakeNode } from './fake-node.ts'

interface Place {
  client: RemoteRunner<Calls>
  node: FakeNode
  /** The starts that were sent. */
  starts(): Asked[]
  /** Resolves when whatever the client had to send is there. */
  settled(): Promise<void>
}

/** A node that leaves starts to the test. */
async function setUp(t: TestContext): Promise<Place> {
  const node = await fakeNode(t, (asked) => {
    if (asked.what === 'GET /calls') send(asked, 200, { calls: [] })
    else if (asked.what.startsWith('DELETE')) asked.response.writeHead(204).end()
    else if (asked.what.endsWith('/cancel')) send(asked, 200, FINISHED)
  })
  const client = createClient<Calls>(node.url)
  t.after(() => client.disconnect())
  return {
    client,
    node,
    starts: () => node.asked.filter(({ what }) => what === 'POST /calls'),
    async settled() {
      for (let i = 0; i < 3; i++) await client.list()
    },
  }
}

const asks = ({ node }: Place, what: string): boolean => node.asked.some((asked) => asked.what === what)
const CANCEL = `POST /calls/${FINISHED.id}/cancel`

test('a start that is aborted and whose outcome is not kept is cancelled once its ID is known, and not sent again', async (t) => {
  const place = await setUp(t)
  const { client, starts, settled } = place
  const controller = new AbortController()
  const start = client.start('add', [1, 2], { retain: 0, signal: controller.signal })
  const asked = await until('the start', () => starts()[0])
  controller.abort()
  await settled()
  assert.equal(starts().length, 1)
  send(asked, 202, UNFINISHED)
  assert.equal(valueOf(await start), 3)
  assert.ok(asks(place, CANCEL))
  assert.equal(starts().length, 1)
})

test('a client that closes with abort sends no start again whose outcome is not kept', async (t) => {
  const place = await setUp(t)
  const { client, starts } = place
  const start = client.start('add', [1, 2], { retain: 0 })
  const asked = await until('the start', () => starts()[0])
  const closed = client.close({ abort: true })
  // Long enough for one that is sent.
  await until('a look of another client', async () => {
    const other = createClient(place.node.url)
    await other.list()
    await other.close()
    return true
  })
  assert.equal(starts().length, 1)
  send(asked, 202, UNFINISHED)
  assert.equal(valueOf(await start), 3)
  await closed
  assert.equal(starts().length, 1)
})

test('a start whose outcome is kept is cancelled by its key at once', async (t) => {
  const { client, starts } = await setUp(t)
  const controller = new AbortController()
  const start = client.start('add', [1, 2], { signal: controller.signal })
  const first = await until('the start', () => starts()[0])
  controller.abort()
  const second = await until('the start by the same key', () => starts()[1])
  assert.equal(second.headers['idempotency-key'], first.headers['idempotency-key'])
  send(second, 202, UNFINISHED)
  send(first, 202, UNFINISHED)
  assert.equal(valueOf(await start), 3)
})

test('the node is not told to forget a call while a start of it is still on its way', async (t) => {
  const place = await setUp(t)
  const { client, starts, settled } = place
  const controller = new AbortController()
  const start = client.start('add', [1, 2], { signal: controller.signal })
  const first = await until('the start', () => starts()[0])
  controller.abort()
  await until('the start by the same key', () => starts()[1])
  send(first, 200, FINISHED)
  assert.deepEqual(await start, { finished: true, ok: true, value: 3 })
  await settled()
  assert.ok(!place.node.asked.some(({ what }) => what.startsWith('DELETE')))
})

test('a start that is aborted before it is sent is not sent, and has ended', async (t) => {
  const node = await fakeNode(t, () => undefined)
  const client = createClient<Calls>(node.url)
  t.after(() => client.disconnect())
  const controller = new AbortController()
  const start = client.start('add', [1, 2], { signal: controller.signal })
  controller.abort('why')
  const error = errorOf(await start, 'ABORTED')
  assert.deepEqual([error.started, error.step, error.cause], ['no', 'queued', 'why'])
  assert.equal(node.asked.length, 0)
  assert.equal(node.looks, 1)
})

test('a start that is refused is not said to have started nothing while another of its key is on its way', async (t) => {
  const { client, starts } = await setUp(t)
  const controller = new AbortController()
  const start = client.start('add', [1, 2], { signal: controller.signal })
  const first = await until('the start', () => starts()[0])
  controller.abort()
  await until('the start by the same key', () => starts()[1])
  sendProblem(first, 'queue-full')
  const error = await refused(start, 'QUEUE_FULL')
  assert.deepEqual([error.started, error.retryable], ['unknown', true])
})

test('a client that disconnects does not say that a start which was sent has started nothing', async (t) => {
  const { client, starts } = await setUp(t)
  const start = refused(client.start('add', [1, 2]), 'RUNNER_CLOSED')
  await until('the start', () => starts()[0])
  await client.disconnect()
  assert.equal((await start).started, 'unknown')
})

for (const [name, options, sent] of [
  ['whose outcome is kept is asked for by its key in the next turn', {}, 2],
  ['whose outcome is not kept is asked for in one turn only', { retain: 0 }, 1],
] satisfies [string, StartOptions, number][]) {
  test(`a call ${name}`, async (t) => {
    const { client, starts, settled } = await setUp(t)
    const call = client.prepare(readCall('start', 'add', [1, 2], options))
    const turn = new AbortController()
    const first = thrownBy(call.ask(1_000, turn.signal))
    await until('the start', () => starts()[0])
    const over = new Error('over')
    turn.abort(over)
    const thrown = await first
    const again = call.ask(1_000, new AbortController().signal)
    if (sent === 2) {
      assert.equal(thrown, over)
      send(await until('the next', () => starts()[1]), 200, FINISHED)
      assert.equal(valueOf(await again), 3)
    } else {
      const error = await refused(again, 'NODE_UNREACHABLE')
      assert.deepEqual(factsOf(error), { fn: 'add', started: 'unknown', retryable: true })
      assert.equal(thrown, error)
    }
    await settled()
    assert.equal(starts().length, sent)
  })
}

test('nodes that answer in turn at one address are told of, and not asked for ever', async (t) => {
  const node = await fakeNode(t, (asked, of) => {
    of.tag = of.tag === '00000001' ? '00000002' : '00000001'
    asked.response.setHeader(NODE_HEADER, of.tag)
    sendProblem(asked, 'node-changed')
  })
  const client = createClient<Calls>(node.url)
  t.after(() => client.disconnect())
  const error = await refused(client.start('add', [1, 2]), 'PROTOCOL_ERROR')
  assert.match(error.message, /more than one node answers at http:/)
  assert.deepEqual(factsOf(error), { fn: 'add', started: 'no', retryable: false })
  assert.equal(node.asked.length, 3)
})
