import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { PreparedCall } from '../../../src/adapters/client/calls.ts'
import { fanOut } from '../../../src/adapters/client/fan-out.ts'
import { connectAll, type ConnectOptions, type NodeResult } from '../../../src/client.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { until } from '../../helpers/latch.ts'
import { factsOf } from '../../suites/answers.ts'
import type { Calls } from '../../suites/place.ts'
import { FINISHED, fakeNode, send, silentNode, UNFINISHED, type FakeNode } from './fake-node.ts'

/** Milliseconds by which a busy machine may be late. */
const LATE = 4_000

interface Place {
  nodes: Record<'quick' | 'slow' | 'hanging', FakeNode>
  callAll(timeout: number): Promise<Map<string, NodeResult>>
}

/** Nodes of which one has the value at once, one has not, and one takes the call and says nothing. */
async function setUp(t: TestContext, options: ConnectOptions): Promise<Place> {
  const nodes = {
    quick: await fakeNode(t, (asked) => send(asked, 200, { ...FINISHED, id: undefined })),
    slow: await fakeNode(t, (asked) => send(asked, asked.what === 'POST /calls' ? 202 : 200, UNFINISHED)),
    hanging: await fakeNode(t, () => undefined),
  }
  const urls = Object.fromEntries(Object.entries(nodes).map(([name, { url }]) => [name, url]))
  const all = connectAll<Calls>(urls, options)
  t.after(() => Promise.all(Array.from(all.nodes.values(), (client) => client.disconnect())))
  return { nodes, callAll: (timeout) => all.callEach('add', [1, 2], { timeout }) }
}

function errorOf(results: Map<string, NodeResult>, name: string) {
  const result = results.get(name)
  assert.ok(result && !result.ok && !result.offline)
  return result.error
}

for (const [name, timeout, margin] of [
  ['a timeout of 0 gives what each node says at once, within the margin', 0, 700],
  ['a node that takes the call and says nothing is given up at the deadline', 700, 60_000],
] as const) {
  test(name, async (t) => {
    const { nodes, callAll } = await setUp(t, { margin })
    const began = performance.now()
    const results = await callAll(timeout)
    const took = performance.now() - began
    assert.ok(took >= 690 && took < 700 + LATE, `${took} ms`)
    assert.deepEqual(results.get('quick'), { ok: true, value: 3 })
    const slow = errorOf(results, 'slow')
    assert.deepEqual([slow.code, slow.id], ['CALL_RUNNING', UNFINISHED.id])
    const hanging = errorOf(results, 'hanging')
    assert.equal(hanging.code, 'NODE_UNREACHABLE')
    assert.deepEqual(factsOf(hanging), { fn: 'add', started: 'unknown', retryable: true })
    for (const { asked } of Object.values(nodes)) {
      assert.equal(asked.filter(({ what }) => what === 'POST /calls').length, 1)
    }
  })
}

test('a silent node whose events are listened to is given up at the deadline', async (t) => {
  const { url } = await fakeNode(t, () => undefined)
  const all = connectAll<Calls>({ silent: url }, { margin: 60_000 })
  const client = all.nodes.get('silent')
  t.after(() => client?.disconnect())
  client?.on('finished', () => undefined)
  const began = performance.now()
  const results = await all.callEach('add', [1, 2], { timeout: 500 })
  const took = performance.now() - began
  assert.ok(took >= 495 && took < 500 + LATE, `${took} ms`)
  const error = errorOf(results, 'silent')
  assert.deepEqual([error.code, error.started], ['NODE_UNREACHABLE', 'no'])
})

test('an abort ends the whole within a margin, and tells what is known of each node', async (t) => {
  const hanging = await fakeNode(t, () => undefined)
  const all = connectAll<Calls>({ hanging: hanging.url, silent: await silentNode(t) }, { margin: 800 })
  t.after(() => Promise.all(Array.from(all.nodes.values(), (client) => client.disconnect())))
  const controller = new AbortController()
  const called = all.callEach('add', [1, 2], { timeout: 60_000, signal: controller.signal })
  await until('the start', () => hanging.asked[0])
  const began = performance.now()
  controller.abort()
  const results = await called
  const took = performance.now() - began
  assert.ok(took < 800 + LATE, `${took} ms`)
  const told = ['hanging', 'silent'].map((name) => errorOf(results, name))
  assert.deepEqual(
    told.map(({ code, started }) => [code, started]),
    [
      ['NODE_UNREACHABLE', 'unknown'],
      ['ABORTED', 'no'],
    ],
  )
})

test('after an abort a node that hangs has one more turn', async () => {
  const clock = new FakeClock()
  const controller = new AbortController()
  let turns = 0
  const call: PreparedCall = {
    id: undefined,
    isAsked: true,
    ask: (_wait, stop) => {
      turns += 1
      return new Promise((_resolve, reject) => stop.addEventListener('abort', () => reject(stop.reason as Error)))
    },
  }
  const nodes = Array.from({ length: 31 }, (_, i) => ({ name: `node ${i}`, fn: 'add', call }))
  const results = fanOut({ nodes, timeout: 600_000, signal: controller.signal, clock })
  const first = results.next()
  await clock.settle()
  assert.equal(turns, 30)
  controller.abort()
  await clock.advance(29_000)
  assert.equal(turns, 60)
  await clock.advance(29_000)
  const [name, result] = (await first).value as [string, NodeResult]
  assert.equal(name, 'node 30')
  assert.ok(!result.ok && result.error.code === 'NODE_UNREACHABLE' && result.error.started === 'unknown')
  await results.return(undefined)
})
