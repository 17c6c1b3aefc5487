import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { connect, type Client, type ConnectOptions } from '../../../src/client.ts'
import { Line } from '../../../src/adapters/client/line.ts'
import { Looks } from '../../../src/adapters/client/looks.ts'
import { resolveConnect } from '../../../src/adapters/client/options.ts'
import { Transport } from '../../../src/adapters/client/transport.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { until } from '../../helpers/latch.ts'
import { isPending, refused, valueOf } from '../../suites/answers.ts'
import type { Calls } from '../../suites/place.ts'
import { FINISHED, fakeNode, send, sendProblem, UNFINISHED, type Answering, type FakeNode } from './fake-node.ts'

async function setUp(
  t: TestContext,
  answer: Answering,
  options: ConnectOptions = {},
): Promise<{ client: Client<Calls>; node: FakeNode }> {
  const node = await fakeNode(t, answer)
  const client = connect<Calls>(node.url, options)
  t.after(() => client.disconnect())
  return { client, node }
}

const BUSY = { 'retry-after': '60' }

test('a wait that the node has no room for is answered when its time is over, with what the call is by then', async (t) => {
  const { client, node } = await setUp(
    t,
    (asked) => {
      if (asked.query.get('timeout') === '0') send(asked, 200, UNFINISHED)
      else sendProblem(asked, 'too-many-waits', BUSY)
    },
    { margin: 100 },
  )
  const began = performance.now()
  const status = await client.wait(UNFINISHED.id, { timeout: 400 })
  assert.equal(status.finished, false)
  assert.ok(performance.now() - began >= 395)
  assert.deepEqual(
    node.asked.map(({ query }) => query.get('timeout')),
    ['400', '0', '0'],
  )
})

test('a call that has ended is told of by a node that has no room for waits', async (t) => {
  const { client } = await setUp(t, (asked) => {
    if (asked.query.get('timeout') === '0') send(asked, 200, FINISHED)
    else sendProblem(asked, 'too-many-waits', BUSY)
  })
  assert.equal(valueOf(await client.wait(UNFINISHED.id, { timeout: Infinity })), 3)
})

test('a connection that breaks after a node asked for a pause is made again for as long as any', async (t) => {
  const { client, node } = await setUp(
    t,
    (asked, { asked: all }) => {
      if (all.length === 2) sendProblem(asked, 'rate-limited', { 'retry-after': '1' })
      else if (all.length < 4) asked.response.destroy()
      else send(asked, 200, FINISHED)
    },
    { margin: 800 },
  )
  assert.equal(valueOf(await client.wait(UNFINISHED.id)), 3)
  assert.equal(node.asked.length, 4)
})

test('a client that closes waits for a call whose node has no room for waits', async (t) => {
  const { client, node } = await setUp(t, (asked) => {
    if (asked.what === 'POST /calls') send(asked, 202, UNFINISHED)
    else if (asked.query.get('timeout') === '0') send(asked, 200, UNFINISHED)
    else sendProblem(asked, 'too-many-waits', BUSY)
  })
  await client.start('add', [1, 2], { timeout: 0 })
  const closed = client.close()
  await until('a look at the call', () => node.asked.some(({ query }) => query.get('timeout') === '0'))
  assert.ok(await isPending(closed))
  await client.disconnect()
  await closed
})

test('what a node sends away for longer than the margin can be tried again, and says so', async (t) => {
  const { client, node } = await setUp(t, (asked) => sendProblem(asked, 'rate-limited', BUSY), { margin: 500 })
  for (const [ask, started] of [
    [() => client.start('add', [1, 2], { timeout: 0 }), 'no'],
    [() => client.list(), 'no'],
    [() => client.cancel(UNFINISHED.id), 'unknown'],
    [() => client.wait(UNFINISHED.id, { timeout: 0 }), 'unknown'],
    [() => client.wait(UNFINISHED.id, { timeout: 1_000 }), 'unknown'],
  ] as const) {
    const error = await refused(ask(), 'NOT_PERMITTED')
    assert.deepEqual([error.started, error.retryable], [started, true])
  }
  assert.equal(node.asked.length, 5)
})

test('a start that was sent before is not said to have started nothing by a node that takes no requests', async (t) => {
  const { client } = await setUp(
    t,
    (asked, { asked: all }) => {
      if (all.length === 1) asked.response.destroy()
      else sendProblem(asked, 'rate-limited', BUSY)
    },
    { margin: 500 },
  )
  const error = await refused(client.start('add', [1, 2], { timeout: 0 }), 'NOT_PERMITTED')
  assert.equal(error.started, 'unknown')
})

test('a wait without an end outlasts a node that takes no requests for a minute', async (t) => {
  const node = await fakeNode(t, (asked, { asked: all }) => {
    if (all.length === 1) sendProblem(asked, 'rate-limited', BUSY)
    else send(asked, 200, FINISHED)
  })
  const clock = new FakeClock()
  const options = resolveConnect(node.url)
  const transport = new Transport({ origin: options.origin, tls: {}, connectTimeout: 5_000 }, clock)
  t.after(() => transport.close(() => new Error('closed')))
  const looks = new Looks(new Line(transport, options, clock), clock, () => undefined)
  const wait = looks.wait(UNFINISHED.id as never, Infinity)
  // The only timer by then is that of the pause.
  await until('the pause', () => node.asked.length === 1 && (clock.nextAt ?? 0) >= clock.now() + 60_000)
  await clock.advance(75_000)
  assert.equal(valueOf(await wait), 3)
  assert.equal(node.asked.length, 2)
})
