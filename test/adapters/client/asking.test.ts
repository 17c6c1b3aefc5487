import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connect, type Client, type ConnectOptions } from '../../../src/client.ts'
import { until } from '../../helpers/latch.ts'
import { refused, thrownBy, valueOf } from '../../suites/answers.ts'
import type { Calls } from '../../suites/place.ts'
import { FINISHED, fakeNode, send, sendProblem, UNFINISHED, type Answering, type FakeNode } from './fake-node.ts'

interface Place {
  client: Client<Calls>
  node: FakeNode
}

async function setUp(t: TestContext, answer: Answering, options: ConnectOptions = {}): Promise<Place> {
  const node = await fakeNode(t, answer)
  const client = connect<Calls>(node.url, options)
  t.after(() => client.disconnect())
  return { client, node }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const isWait = (what: string): boolean => what.startsWith('GET /calls/')

test('a wait that is longer than the node holds one is asked for again, for what is left of it', async (t) => {
  const { client, node } = await setUp(t, (asked, { asked: all }) =>
    setTimeout(() => send(asked, 200, all.length < 3 ? UNFINISHED : FINISHED), 60),
  )
  assert.equal(valueOf(await client.wait(UNFINISHED.id, { timeout: 20_000 })), 3)
  const timeouts = node.asked.map(({ query }) => Number(query.get('timeout')))
  assert.equal(timeouts.length, 3)
  assert.ok((timeouts[0] ?? 0) <= 20_000 && (timeouts[0] ?? 0) > 19_000, timeouts.join(', '))
  for (const i of [1, 2]) assert.ok((timeouts[i] ?? 0) <= (timeouts[i - 1] ?? 0) - 55, timeouts.join(', '))
})

test('a node is never asked to hold a wait for longer than 29 seconds', async (t) => {
  const { client, node } = await setUp(t, (asked) => send(asked, 200, FINISHED))
  await client.wait(UNFINISHED.id, { timeout: Infinity })
  await client.wait(UNFINISHED.id, { timeout: 600_000 })
  assert.deepEqual(
    node.asked.map(({ query }) => query.get('timeout')),
    ['29000', '29000'],
  )
})

test('a node that holds no answer back is asked with pauses', async (t) => {
  const { client, node } = await setUp(t, (asked) => send(asked, 200, UNFINISHED))
  assert.equal((await client.wait(UNFINISHED.id, { timeout: 800 })).finished, false)
  // Without a pause there are hundreds.
  assert.ok(node.asked.length >= 2 && node.asked.length < 20, `${node.asked.length} requests`)
})

test('all waits for one call are one request', async (t) => {
  const { client, node } = await setUp(t, (asked) => {
    if (asked.what === 'GET /calls') send(asked, 200, { calls: [] })
  })
  const first = client.wait(UNFINISHED.id, { timeout: 50_000 })
  const waits = Array.from({ length: 1_000 }, (_, i) =>
    client.wait(UNFINISHED.id, { timeout: i % 2 ? Infinity : 60_000 }),
  )
  // Whatever they would have asked for stands before this.
  await client.list()
  const asked = node.asked.filter(({ what }) => isWait(what))
  assert.equal(asked.length, 1)
  for (const each of asked) send(each, 200, FINISHED)
  for (const status of await Promise.all([first, ...waits])) assert.equal(valueOf(status), 3)
})

test('a wait that is over sooner than the one under way is a request of its own, whose news all are told', async (t) => {
  const { client, node } = await setUp(t, () => undefined)
  const long = client.wait(UNFINISHED.id, { timeout: Infinity })
  await until('the first', () => node.asked.length === 1)
  const short = client.wait(UNFINISHED.id, { timeout: 5_000 })
  const second = await until('the second', () => node.asked[1])
  assert.equal(second.query.get('timeout'), '5000')
  send(second, 200, FINISHED)
  assert.equal(valueOf(await short), 3)
  assert.equal(valueOf(await long), 3)
})

test('when the last of those who wait goes, so does the request', async (t) => {
  const { client, node } = await setUp(t, () => undefined)
  const [one, other] = [new AbortController(), new AbortController()]
  const waits = [one, other].map(({ signal }) => client.wait(UNFINISHED.id, { timeout: Infinity, signal }))
  const asked = await until('the request', () => node.asked[0])
  one.abort('first')
  assert.equal(await thrownBy(waits[0] as Promise<unknown>), 'first')
  assert.equal(asked.response.destroyed, false)
  other.abort('second')
  assert.equal(await thrownBy(waits[1] as Promise<unknown>), 'second')
  await until('its end', () => asked.response.destroyed)
  assert.equal(client.stats().waits, 0)
})

test('a node that sends a wait away is asked to hold it again when it says, and not sooner', async (t) => {
  const times: number[] = []
  const { client } = await setUp(t, (asked) => {
    const isLook = asked.query.get('timeout') === '0'
    if (isLook) send(asked, 200, UNFINISHED)
    else if (times.push(performance.now()) === 1) sendProblem(asked, 'too-many-waits', { 'retry-after': '1' })
    else send(asked, 200, FINISHED)
  })
  assert.equal(valueOf(await client.wait(UNFINISHED.id)), 3)
  assert.equal(times.length, 2)
  assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 995)
})

test('a node that sends a start away for too many requests is asked again; a full queue is the answer', async (t) => {
  const { client, node } = await setUp(t, (asked, { asked: all }) => {
    if (all.length === 1) sendProblem(asked, 'rate-limited', { 'retry-after': '0' })
    else sendProblem(asked, 'queue-full', { 'retry-after': '1' })
  })
  const error = await refused(client.start('add', [1, 2]), 'QUEUE_FULL')
  assert.deepEqual([error.retryable, error.started], [true, 'no'])
  assert.equal(node.asked.length, 2)
})

test('every try of a start carries the same key, and the tag of the node that it is for', async (t) => {
  const { client, node } = await setUp(t, (asked, { asked: all }) => {
    if (all.length < 3) asked.response.destroy()
    else send(asked, 200, { ...FINISHED, id: undefined })
  })
  assert.equal(await client.call('add', [1, 2]), 3)
  const keys = node.asked.map(({ headers }) => headers['idempotency-key'])
  assert.equal(keys.length, 3)
  assert.equal(new Set(keys).size, 1)
  assert.match(String(keys[0]), /^[0-9a-f-]{36}$/)
  for (const { headers } of node.asked) assert.equal(headers['coatcheck-node'], '00000001')
})

test('calls that begin together ask for the node once', async (t) => {
  const { client, node } = await setUp(t, (asked) => send(asked, 200, { ...FINISHED, id: undefined }))
  await Promise.all(Array.from({ length: 50 }, () => client.call('add', [1, 2])))
  assert.equal(node.looks, 1)
})

test('two starts never have the same key, unless they are given one', async (t) => {
  const { client, node } = await setUp(t, (asked) => send(asked, 200, { ...FINISHED, id: undefined }))
  await client.call('add', [1, 2])
  await client.call('add', [1, 2])
  for (const key of ['order 17', 'order 17', '\u{1F9E5} with\nlines'])
    await client.start('add', [1, 2], { idempotencyKey: key })
  const [first, second, third, fourth, odd] = node.asked.map(({ headers }) => headers['idempotency-key'])
  assert.notEqual(first, second)
  assert.deepEqual([third, fourth], ['order 17', 'order 17'])
  assert.match(String(odd), /^sha256:[0-9a-f]{64}$/)
})

test('a start for a node that is another by now is given to that one, if the first cannot have had it', async (t) => {
  const { client, node } = await setUp(t, (asked, { tag }) => {
    if (asked.headers['coatcheck-node'] === tag) send(asked, 200, { ...FINISHED, id: undefined })
    else sendProblem(asked, 'node-changed')
  })
  assert.equal(await client.call('add', [1, 2]), 3)
  node.tag = '00000002'
  assert.equal(await client.call('add', [1, 2]), 3)
  assert.deepEqual(
    node.asked.map(({ headers }) => headers['coatcheck-node']),
    ['00000001', '00000001', '00000002'],
  )
})

test('a start that may have been had by a node that is another by now is lost', async (t) => {
  const { client, node } = await setUp(t, (asked, of) => {
    if (of.asked.length === 1) {
      of.tag = '00000002'
      asked.response.destroy()
    } else sendProblem(asked, 'node-changed')
  })
  const error = await refused(client.call('add', [1, 2]), 'CALL_LOST')
  assert.equal(error.started, 'unknown')
  assert.equal(node.asked.length, 2)
})

test('a node that takes a request and does not answer is told of after the wait and the margin', async (t) => {
  const { client, node } = await setUp(t, () => undefined, { margin: 300 })
  const began = performance.now()
  const error = await refused(client.wait(UNFINISHED.id, { timeout: 200 }), 'NODE_UNREACHABLE')
  const took = performance.now() - began
  assert.deepEqual([error.id, error.started], [UNFINISHED.id, 'unknown'])
  assert.ok(took >= 495 && took < 5_000, `${took} ms`)
  assert.equal(node.asked.length, 1)
})

test('what a gateway answers in place of the node is no answer', async (t) => {
  const { client, node } = await setUp(t, (asked, { asked: all }) => {
    if (all.length > 2) send(asked, 200, FINISHED)
    else {
      asked.response.removeHeader('coatcheck-node')
      asked.response.writeHead(502).end('<html>')
    }
  })
  assert.equal(valueOf(await client.wait(UNFINISHED.id)), 3)
  assert.equal(node.asked.length, 3)
})

/** A client and a node before which a gateway stands that does not reach it at first, and says when to come again. */
async function setUpGateway(t: TestContext, margin: number, after: string) {
  const times: number[] = []
  const node = await fakeNode(t, (asked) => {
    if (times.push(performance.now()) > 1) send(asked, 200, FINISHED)
    else {
      asked.response.removeHeader('coatcheck-node')
      asked.response.writeHead(503, { 'retry-after': after }).end('<html>')
    }
  })
  const client = connect<Calls>(node.url, { margin })
  t.after(() => client.disconnect())
  return { client, times }
}

test('a gateway that says when to come again is asked then, and not sooner', async (t) => {
  const { client, times } = await setUpGateway(t, 400, '1')
  assert.equal(valueOf(await client.wait(UNFINISHED.id, { timeout: 5_000 })), 3)
  assert.equal(times.length, 2)
  assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 995)
})

test('a gateway that is to be asked later than there is time for is not asked again', async (t) => {
  for (const timeout of [0, 2_000]) {
    const { client, times } = await setUpGateway(t, 400, '5')
    const error = await refused(client.start('add', [1, 2], { timeout }), 'NODE_UNREACHABLE')
    assert.equal(error.started, 'unknown')
    assert.equal(times.length, 1)
  }
})

test('what answers and is no node is told of', async (t) => {
  const { client } = await setUp(t, (asked) => {
    asked.response.removeHeader('coatcheck-node')
    asked.response.writeHead(404).end('<html>')
  })
  const error = await refused(client.wait(UNFINISHED.id), 'PROTOCOL_ERROR')
  assert.match(error.message, /is no coatcheck node: HTTP 404/)
})

test('what is no ID of a call is known without a request', async (t) => {
  const { client, node } = await setUp(t, (asked) => send(asked, 200, FINISHED))
  for (const wrong of ['', '.', '..', '\ud800', '1'.repeat(257)]) {
    await refused(client.wait(wrong), 'CALL_UNKNOWN')
    await refused(client.cancel(wrong), 'CALL_UNKNOWN')
    await refused(client.forget(wrong), 'CALL_UNKNOWN')
  }
  assert.equal(node.asked.length, 0)
})

test('an answer that cannot be read is told of', async (t) => {
  const { client } = await setUp(t, (asked) => send(asked, 200, { ...FINISHED, value: [['NoSuchKind', 1]] }))
  await refused(client.wait(UNFINISHED.id), 'PROTOCOL_ERROR')
})

test('the outcome of a call that was answered in full is let go of at the node, and one that is kept is not', async (t) => {
  const { client, node } = await setUp(t, (asked) => {
    if (asked.what.startsWith('DELETE')) asked.response.writeHead(204).end()
    else send(asked, 200, FINISHED)
  })
  assert.deepEqual(await client.start('add', [1, 2]), { finished: true, ok: true, value: 3 })
  await until('the second', () => node.asked.length === 2)
  assert.equal(node.asked[1]?.what, `DELETE /calls/${FINISHED.id}`)
  const kept = await client.start('add', [1, 2], { retain: 600_000 })
  assert.equal(kept.id, FINISHED.id)
  await client.close()
  assert.equal(node.asked.length, 3)
})

test('waits that are given up leave nothing behind', async (t) => {
  const count = process.env['COATCHECK_LONG_TESTS'] === '1' ? 1_000_000 : 20_000
  const { client, node } = await setUp(t, () => undefined)
  const { signal: lasting } = new AbortController()
  const held = client.wait(UNFINISHED.id, { timeout: Infinity, signal: lasting })
  await until('the request', () => node.asked.length === 1)
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < count; i += 500) {
    const controller = new AbortController()
    const waits = Array.from({ length: 500 }, () =>
      client.wait(UNFINISHED.id, { timeout: Infinity, signal: controller.signal }),
    )
    controller.abort()
    await Promise.allSettled(waits)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  }
  collectGarbage()
  const grown = process.memoryUsage().heapUsed - before
  assert.ok(grown < 5_000_000, `${grown} bytes for ${count} waits`)
  t.diagnostic(`${count} waits, ${grown} bytes more`)
  assert.equal(node.asked.filter(({ what }) => isWait(what)).length, 1)
  for (const asked of node.asked) send(asked, 200, FINISHED)
  assert.equal(valueOf(await held), 3)
  assert.equal(getEventListeners(lasting, 'abort').length, 0)
})
