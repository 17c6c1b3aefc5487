import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { connect, type Client } from '../../../src/client.ts'
import { EventFeed } from '../../../src/adapters/client/event-feed.ts'
import { resolveConnect } from '../../../src/adapters/client/options.ts'
import { serve } from '../../../src/http.ts'
import { createRunner } from '../../../src/index.ts'
import { startScript } from '../../helpers/child.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { until } from '../../helpers/latch.ts'
import { valueOf } from '../../suites/answers.ts'
import { CALLS, type Calls } from '../../suites/place.ts'
import { fakeNode, FINISHED, send, type Asked, type FakeNode } from './fake-node.ts'

/** Milliseconds by which a busy machine may be late. */
const LATE = 4_000

async function setUp(t: TestContext): Promise<{ client: Client<Calls>; node: FakeNode; streams: () => Asked[] }> {
  const node = await fakeNode(t, (asked) => {
    if (asked.what === 'GET /events') asked.response.writeHead(200).write(': here\n\n')
    else send(asked, 200, { ...FINISHED, id: undefined })
  })
  const client = connect<Calls>(node.url)
  t.after(() => client.disconnect())
  return { client, node, streams: () => node.asked.filter(({ what }) => what === 'GET /events') }
}

const queued = (id: number): string => `id: a.${id}\nevent: queued\ndata: {"id":"call ${id}","fn":"add"}\n\n`

test('events are asked for only while somebody listens', async (t) => {
  const { client, node, streams } = await setUp(t)
  await client.call('add', [1, 2])
  assert.equal(node.asked.length, 1)
  const listener = (): void => undefined
  client.on('queued', listener)
  client.on('idle', listener)
  const stream = await until('the stream', () => streams()[0])
  client.off('queued', listener)
  await client.call('add', [1, 2])
  assert.equal(stream.response.destroyed, false)
  client.off('idle', listener)
  await until('its end', () => stream.response.destroyed)
  await client.call('add', [1, 2])
  assert.equal(streams().length, 1)
})

test('once listens to one event, and no longer', async (t) => {
  const { client, streams } = await setUp(t)
  const heard: string[] = []
  client.once('queued', ({ id }) => heard.push(id))
  const stream = await until('the stream', () => streams()[0])
  stream.response.write(queued(1) + queued(2))
  await until('its end', () => stream.response.destroyed)
  assert.deepEqual(heard, ['call 1'])
})

test('a call is started only when its events are heard', async (t) => {
  const node = await fakeNode(t, (asked) => {
    if (asked.what !== 'GET /events') send(asked, 200, { ...FINISHED, id: undefined })
  })
  const client = connect<Calls>(node.url)
  t.after(() => client.disconnect())
  client.on('queued', () => undefined)
  const called = client.call('add', [1, 2])
  const stream = await until('the stream', () => node.asked[0])
  // Long enough for a start that does not wait.
  for (let i = 0; i < 3; i++) await client.wait(FINISHED.id)
  const starts = (): number => node.asked.filter(({ what }) => what === 'POST /calls').length
  assert.equal(starts(), 0)
  stream.response.writeHead(200).write(': here\n\n')
  assert.equal(await called, 3)
  assert.equal(starts(), 1)
})

test('a stream that breaks is gone on with where it broke', async (t) => {
  const { client, streams } = await setUp(t)
  const heard: string[] = []
  client.on('queued', ({ id }) => heard.push(id))
  const first = await until('the stream', () => streams()[0])
  first.response.write(queued(1))
  await until('the event', () => heard.length === 1)
  first.response.destroy()
  const second = await until('the next stream', () => streams()[1])
  assert.equal(second.headers['last-event-id'], 'a.1')
  second.response.write(queued(2))
  await until('the next event', () => heard.length === 2)
  assert.deepEqual(heard, ['call 1', 'call 2'])
})

test('calls are started though events cannot be had', async (t) => {
  const node = await fakeNode(t, (asked) => {
    if (asked.what === 'GET /events') asked.response.destroy()
    else send(asked, 200, { ...FINISHED, id: undefined })
  })
  const client = connect<Calls>(node.url)
  t.after(() => client.disconnect())
  client.on('queued', () => undefined)
  assert.equal(await client.call('add', [1, 2]), 3)
})

/** Milliseconds between one request for events that is refused and the next. */
async function pausesOf(t: TestContext, count: number, status: number, headers: object): Promise<number[]> {
  const node = await fakeNode(t, ({ response }) => response.writeHead(status, { ...headers }).end())
  const clock = new FakeClock()
  const feed = new EventFeed(resolveConnect(node.url), clock)
  t.after(() => feed.close())
  feed.on('queued', () => undefined)
  const pauses: number[] = []
  for (let i = 1; i <= count; i++) {
    // Whatever else the feed waits for would keep the process alive.
    await until('the pause', () => node.asked.length === i && clock.pending === 1 && clock.pendingRef === 0)
    const pause = (clock.nextAt ?? 0) - clock.now()
    pauses.push(pause)
    await clock.advance(pause)
  }
  return pauses
}

test('a call waits for events that do not come as long as it waits for its end, and two seconds at least', async (t) => {
  const node = await fakeNode(t, (asked) => {
    if (asked.what === 'POST /calls') send(asked, 200, { ...FINISHED, id: undefined })
  })
  const client = connect<Calls>(node.url, { margin: 60_000 })
  t.after(() => client.disconnect())
  client.on('queued', () => undefined)
  const began = performance.now()
  assert.equal(valueOf(await client.start('add', [1, 2], { timeout: 0 })), 3)
  const took = performance.now() - began
  assert.ok(took >= 1_995 && took < 2_000 + LATE, `${took} ms`)
})

test('a node that refuses its events is asked for them more and more seldom', async (t) => {
  for (const status of [401, 403, 404]) {
    const last = (await pausesOf(t, 13, status, {})).at(-1) ?? 0
    assert.ok(last >= 30_000 && last <= 60_000, `${last} ms`)
  }
})

test('a node that is to be asked later for its events is asked when it says', async (t) => {
  for (const status of [429, 503]) {
    for (const pause of await pausesOf(t, 3, status, { 'retry-after': '20' })) {
      assert.ok(pause >= 20_000 && pause <= 25_000, `${pause} ms`)
    }
  }
})

test('a node that cannot be reached is asked for its events within a second', async (t) => {
  const last = (await pausesOf(t, 13, 502, {})).at(-1) ?? 0
  assert.ok(last <= 1_000, `${last} ms`)
})

test('a client that was used and listens keeps no process alive', async (t) => {
  const runner = createRunner<Calls>({ functions: CALLS, threads: { max: 1 } })
  const node = await serve(runner, { port: 0, functions: ['add'] })
  t.after(() => node.close())
  const script = startScript(t, new URL('../../fixtures/client/idle.ts', import.meta.url), [node.url])
  const { status, signal, stdout, stderr } = await script.ended
  assert.deepEqual([status, signal, stderr], [0, null, ''])
  assert.match(stdout, /^3$/m)
})
