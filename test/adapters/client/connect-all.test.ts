import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, describe, test, type TestContext } from 'node:test'
import { connectAll, type Clients, type NodeResult } from '../../../src/client.ts'
import { serve, type Served } from '../../../src/http.ts'
import { createRunner, type Runner } from '../../../src/index.ts'
import { createAuthority } from '../../helpers/certificates.ts'
import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { Signposts, until } from '../../helpers/latch.ts'
import { factsOf, thrownBy } from '../../suites/answers.ts'
import { CALLS, type Calls } from '../../suites/place.ts'
import { UnreliableProxy } from './unreliable-proxy.ts'

cacheCompiled()

/** Milliseconds by which a busy machine may be late. */
const LATE = 4_000

/** Something that takes connections and says nothing, or less. */
async function listen(t: TestContext, ends: boolean): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (ends) socket.destroy()
    t.after(() => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `https://localhost:${(server.address() as AddressInfo).port}`
}

describe('many nodes at once', () => {
  const posts = new Signposts()
  const served: Served[] = []
  let runner: Runner<Calls>
  let tls: { ca: string; cert: string; key: string }

  before(async () => {
    const authority = await createAuthority('authority')
    const { ca } = authority
    tls = { ...(await authority.certify('master')), ca }
    // One runner is many nodes here: what they have in common does no harm.
    runner = createRunner<Calls>({ functions: CALLS, threads: { max: 1, concurrency: 50 } })
    const options = { port: 0, functions: ['add', 'hold', 'fail'] as const, limits: { rate: 100_000 } }
    const node = { ...(await authority.certify('node')), ca }
    for (let i = 0; i < 15; i++) served.push(await serve(runner, { ...options, tls: node }))
    await runner.ready()
  })

  after(async () => {
    await Promise.all(served.map((node) => node.close({ abort: true, grace: 0 })))
    posts.remove()
  })

  function connectTo(t: TestContext, nodes: Record<string, string>, margin = 20_000): Clients<Calls> {
    const all = connectAll<Calls>(nodes, { tls, margin })
    t.after(() => Promise.all(Array.from(all.nodes.values(), (client) => client.disconnect())))
    return all
  }

  const urls = (count: number): Record<string, string> =>
    Object.fromEntries(served.slice(0, count).map(({ url }, i) => [`node${i}`, url.replace('127.0.0.1', 'localhost')]))

  test('every node gives its value, in the order of the nodes', async (t) => {
    const all = connectTo(t, urls(15))
    const results = await all.callEach('add', [1, 2])
    assert.deepEqual([...results.keys()], Object.keys(urls(15)))
    for (const result of results.values()) assert.deepEqual(result, { ok: true, value: 3 })
  })

  test('what a function throws is the error of that node', async (t) => {
    const all = connectTo(t, urls(2))
    for (const result of (await all.callEach('fail', ['builtIn'])).values()) {
      assert.ok(!result.ok && !result.offline)
      assert.equal(result.error.code, 'FUNCTION_THREW')
      assert.ok(result.error.cause instanceof RangeError)
    }
  })

  test('of 20 nodes 3 hang, 2 refuse and 1 dies midway: each has a result within the deadline', async (t) => {
    const latch = posts.latch()
    const { port } = new URL(served[14]?.url ?? '')
    const proxy = await UnreliableProxy.listen(() => Number(port))
    const bad: Record<string, string> = { dying: `https://localhost:${proxy.port}` }
    for (const name of ['hanging1', 'hanging2', 'hanging3']) bad[name] = await listen(t, false)
    for (const name of ['refusing1', 'refusing2']) bad[name] = await listen(t, true)
    // Long enough for 20 connections of one process on a machine that others keep busy.
    const all = connectTo(t, { ...bad, ...urls(14) }, 4_000)
    const began = performance.now()
    const answer = all.callEach('hold', [latch.path, 'held'], { timeout: 6_000 })
    try {
      await until('the calls', () => runner.stats().calls.running === 15)
    } finally {
      await proxy.close()
      latch.open()
    }
    const results = await answer
    assert.ok(performance.now() - began < 6_000 + LATE)
    assert.equal(results.size, 20)
    for (const [name, result] of results) {
      if (name.startsWith('node')) assert.deepEqual(result, { ok: true, value: 'held' }, name)
      else {
        assert.ok(!result.ok, name)
        assert.equal(result.error.code, 'NODE_UNREACHABLE', name)
        assert.equal(result.error.started, name === 'dying' ? 'unknown' : 'no', name)
      }
    }
  })

  test('a node that is marked offline is answered for without a request', async (t) => {
    const proxy = await UnreliableProxy.listen(() => Number(new URL(served[0]?.url ?? '').port))
    const url = `https://localhost:${proxy.port}`
    const all = connectAll<Calls>({ away: { url, offline: true }, ...urls(1) }, { tls })
    t.after(async () => {
      await all.close()
      await proxy.close()
    })
    const first = await all.callEach('add', [1, 2])
    const away = first.get('away')
    assert.ok(away && !away.ok && away.offline)
    assert.deepEqual(factsOf(away.error), { fn: 'add', started: 'no', retryable: true })
    assert.deepEqual(first.get('node0'), { ok: true, value: 3 })
    assert.equal(proxy.connections, 0)

    all.markOffline('away', false)
    assert.deepEqual((await all.callEach('add', [1, 2])).get('away'), { ok: true, value: 3 })
    assert.throws(() => all.markOffline('elsewhere'), /there is no node 'elsewhere'; the nodes are away, node0/)
  })

  test('a call that goes on when the time is up is told of with its ID', async (t) => {
    const latch = posts.latch()
    const all = connectTo(t, urls(2))
    const results = await all.callEach('hold', [latch.path, 'held'], { timeout: 3_000 })
    latch.open()
    for (const [name, result] of results) {
      assert.ok(!result.ok)
      assert.equal(result.error.code, 'CALL_RUNNING')
      const status = await all.nodes.get(name)?.wait(result.error.id ?? '', { timeout: Infinity })
      assert.ok(status?.finished && status.ok && status.value === 'held')
    }
  })

  test('results can be read as they arrive', async (t) => {
    const slow = await listen(t, false)
    const all = connectTo(t, { slow, ...urls(2) })
    const arrived: [string, NodeResult][] = []
    for await (const each of all.eachResult('add', [1, 2], { timeout: 1_500 })) arrived.push(each)
    assert.deepEqual(
      arrived.map(([name, { ok }]) => [name.slice(0, 4), ok]),
      [
        ['node', true],
        ['node', true],
        ['slow', false],
      ],
    )
  })

  test('with more nodes than are asked at once those that hang keep nobody from being asked', async (t) => {
    const hanging: Record<string, string> = {}
    const url = await listen(t, false)
    for (let i = 0; i < 40; i++) hanging[`hanging${i}`] = url
    const all = connectTo(t, { ...hanging, ...urls(5) })
    const results = await all.callEach('add', [1, 2], { timeout: 4_000 })
    for (const name of Object.keys(urls(5))) assert.deepEqual(results.get(name), { ok: true, value: 3 })
    assert.equal([...results.values()].filter(({ ok }) => !ok).length, 40)
  })

  test('at most 30 nodes are asked at once', async (t) => {
    const open = new Set<Socket>()
    let most = 0
    let asked = 0
    const server = createServer((socket) => {
      asked += 1
      open.add(socket)
      most = Math.max(most, open.size)
      socket.on('error', () => undefined)
      socket.on('close', () => open.delete(socket))
      socket.resume()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const url = `https://localhost:${(server.address() as AddressInfo).port}`
    const all = connectTo(t, Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`node${i}`, url])))
    const results = await all.callEach('add', [1, 2], { timeout: 1_600 })
    assert.equal(results.size, 50)
    assert.ok(asked >= 50)
    // What is given up here is not heard of there at once.
    assert.ok(most >= 30 && most <= 32, `${most} connections at once`)
    await until('no connections', () => open.size === 0)
  })

  test('arguments that are not right are refused before any node is asked', async (t) => {
    const all = connectTo(t, urls(1))
    assert.ok((await thrownBy(all.callEach('add', [1, 2], { timeout: -1 }))) instanceof RangeError)
    assert.match(String(await thrownBy(all.callEach('hold', ['', () => 1]))), /args\[1\] is a function/)
  })
})
