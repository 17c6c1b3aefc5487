import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { readCall } from '../../../src/adapters/client/call-request.ts'
import { createClient } from '../../../src/adapters/client/connect.ts'
import { EventFeed } from '../../../src/adapters/client/event-feed.ts'
import { Line } from '../../../src/adapters/client/line.ts'
import { resolveConnect } from '../../../src/adapters/client/options.ts'
import { RemoteRunner } from '../../../src/adapters/client/remote-runner.ts'
import { Transport } from '../../../src/adapters/client/transport.ts'
import { NODE_HEADER } from '../../../src/adapters/wire/headers.ts'
import type { StartOptions } from '../../../src/index.ts'
import { systemClock, type Clock } from '../../../src/model/clock.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { until } from '../../helpers/latch.ts'
import { errorOf, factsOf, refused, thrownBy, valueOf } from '../../suites/answers.ts'
import type { Calls } from '../../suites/place.ts'
import {
  FINISHED,
  fakeNode,
  send,
  sendProblem,
  silentNode,
  UNFINISHED,
  type Asked,
  type FakeNode,
} from './fake-node.ts'

/** Milliseconds by which a busy machine may be late. */
const LATE = 4_000

interface Place {
  client: RemoteRunner<Calls>
  /** By which the client knows what the node may have forgotten. */
  clock: FakeClock
  node: FakeNode
  /** The starts that were sent. */
  starts(): Asked[]
  /** Resolves when whatever the client had to send is there. */
  settled(): Promise<void>
}

/** A client by whose clock it is told how long a node remembers. */
function clientBy(clock: Clock, url: string): RemoteRunner<Calls> {
  const options = resolveConnect(url)
  const { origin, tls, margin } = options
  const transport = new Transport({ origin, tls, connectTimeout: margin }, systemClock)
  const line = new Line(transport, options, clock)
  return new RemoteRunner({ transport, line, feed: new EventFeed(options, systemClock), clock: systemClock, margin })
}

/** A node that leaves starts to the test. */
async function setUp(t: TestContext): Promise<Place> {
  const node = await fakeNode(t, (asked) => {
    if (asked.what === 'GET /calls') send(asked, 200, { calls: [] })
    else if (asked.what.startsWith('DELETE')) asked.response.writeHead(204).end()
    else if (asked.what.endsWith('/cancel')) send(asked, 200, FINISHED)
  })
  const clock = new FakeClock()
  const client = clientBy(clock, node.url)
  t.after(() => client.disconnect())
  return {
    client,
    clock,
    node,
    starts: () => node.asked.filter(({ what }) => what === 'POST /calls'),
    async settled() {
      for (let i = 0; i < 3; i++) await client.list()
    },
  }
}

/** Milliseconds after a start when another one of it may come too late: with the margin for its way. */
const TOO_LATE = 90_000 - 5_000 + 1

const asks = ({ node }: Place, what: string): boolean => node.asked.some((asked) => asked.what === what)
const CANCEL = `POST /calls/${FINISHED.id}/cancel`

for (const retain of [undefined, 0, 500]) {
  test(`a start with a retain of ${retain} is cancelled by its key at once`, async (t) => {
    const { client, starts } = await setUp(t)
    const controller = new AbortController()
    const options = { signal: controller.signal, ...(retain !== undefined && { retain }) }
    const start = client.start('add', [1, 2], options)
    const first = await until('the start', () => starts()[0])
    controller.abort()
    const second = await until('the start by the same key', () => starts()[1])
    assert.equal(second.headers['idempotency-key'], first.headers['idempotency-key'])
    send(second, 202, UNFINISHED)
    send(first, 202, UNFINISHED)
    assert.equal(valueOf(await start), 3)
  })
}

for (const [name, end] of [
  ['an abort', (_client, controller) => controller.abort()],
  ['a close with abort', (client) => void client.close({ abort: true })],
] satisfies [string, (client: RemoteRunner<Calls>, controller: AbortController) => void][]) {
  test(`${name} sends no start again whose key the node may have forgotten, and cancels it once its ID is known`, async (t) => {
    const place = await setUp(t)
    const { client, clock, starts } = place
    const controller = new AbortController()
    const start = client.start('add', [1, 2], { signal: controller.signal })
    const asked = await until('the start', () => starts()[0])
    clock.skip(TOO_LATE)
    end(client, controller)
    // Long enough for one that is sent.
    const other = createClient(place.node.url)
    await other.list()
    await other.close()
    assert.equal(starts().length, 1)
    send(asked, 202, UNFINISHED)
    assert.equal(valueOf(await start), 3)
    assert.ok(asks(place, CANCEL))
    assert.equal(starts().length, 1)
  })
}

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
})

for (const isHeard of [false, true]) {
  const name = isHeard ? ', though its events are listened to' : ''
  test(`a start at a silent node that is aborted before it is sent has ended at once${name}`, async (t) => {
    const client = createClient<Calls>(await silentNode(t), { margin: 60_000 })
    t.after(() => client.disconnect())
    if (isHeard) client.on('finished', () => undefined)
    const controller = new AbortController()
    const start = client.start('add', [1, 2], { signal: controller.signal })
    await setTimeout(50)
    const began = performance.now()
    controller.abort('why')
    const error = errorOf(await start, 'ABORTED')
    assert.ok(performance.now() - began < LATE)
    assert.deepEqual([error.started, error.step, error.cause], ['no', 'queued', 'why'])
  })
}

test('a start that a node does not answer is given up a margin after it was aborted', async (t) => {
  const node = await fakeNode(t, () => undefined)
  const client = createClient<Calls>(node.url, { margin: 500 })
  t.after(() => client.disconnect())
  const controller = new AbortController()
  const call = client.call('add', [1, 2], { signal: controller.signal })
  await until('the start', () => node.asked[0])
  const began = performance.now()
  controller.abort()
  const error = await refused(call, 'NODE_UNREACHABLE')
  const took = performance.now() - began
  assert.ok(took >= 495 && took < 500 + LATE, `${took} ms`)
  assert.deepEqual(factsOf(error), { fn: 'add', started: 'unknown', retryable: true })
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

for (const [name, options, later, sent] of [
  ['asked for by its key in the next turn', {}, TOO_LATE - 1, true],
  ['asked for by its key in the next turn though it is not kept', { retain: 0 }, TOO_LATE - 1, true],
  ['asked for no more when the node may have forgotten its key', {}, TOO_LATE, false],
  ['asked for no more when the node may have forgotten it', { retain: 200_000 }, TOO_LATE + 110_000, false],
  ['asked for by its key for as long as it is kept', { retain: 200_000 }, TOO_LATE + 110_000 - 1, true],
] satisfies [string, StartOptions, number, boolean][]) {
  test(`a call is ${name}`, async (t) => {
    const { client, clock, starts, settled } = await setUp(t)
    const call = client.prepare(readCall('start', 'add', [1, 2], options))
    const turn = new AbortController()
    const first = thrownBy(call.ask(1_000, turn.signal))
    await until('the start', () => starts()[0])
    const over = new Error('over')
    turn.abort(over)
    assert.equal(await first, over)
    clock.skip(later)
    const again = call.ask(1_000, new AbortController().signal)
    if (sent) {
      send(await until('the next', () => starts()[1]), 200, FINISHED)
      assert.equal(valueOf(await again), 3)
    } else {
      const error = await refused(again, 'NODE_UNREACHABLE')
      assert.deepEqual(factsOf(error), { fn: 'add', started: 'unknown', retryable: true })
    }
    await settled()
    assert.equal(starts().length, sent ? 2 : 1)
  })
}

test('a start whose answer was lost is not sent again when the node may have forgotten its key', async (t) => {
  const { client, clock, starts, settled } = await setUp(t)
  const start = client.start('add', [1, 2])
  const asked = await until('the start', () => starts()[0])
  clock.skip(TOO_LATE)
  asked.response.destroy()
  assert.equal((await refused(start, 'NODE_UNREACHABLE')).started, 'unknown')
  await settled()
  assert.equal(starts().length, 1)
})

test('a start that was sent away by a busy node is sent again however late that is', async (t) => {
  const { client, clock, starts } = await setUp(t)
  const start = client.call('add', [1, 2])
  const asked = await until('the start', () => starts()[0])
  clock.skip(TOO_LATE)
  sendProblem(asked, 'rate-limited', { 'retry-after': '0' })
  send(await until('the next', () => starts()[1]), 200, FINISHED)
  assert.equal(await start, 3)
})

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
