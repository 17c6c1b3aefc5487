import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { request as ask } from 'node:http'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { Principals } from '../../../src/adapters/http/principals.ts'
import { serve } from '../../../src/http.ts'
import { until } from '../../helpers/latch.ts'
import { pathOf, sendTo, sharedRunner, startNode } from './served.ts'

/** Lets those in who say a name, as that. */
function byName({ headers }: { headers: Record<string, string | string[] | undefined> }): string | undefined {
  return typeof headers['x-name'] === 'string' ? headers['x-name'] : undefined
}

const shared = sharedRunner()

const alice = { 'x-name': 'alice' }
const bob = { 'x-name': 'bob' }

test('a node does not listen beyond this machine without knowing its callers', async (t) => {
  const { runner } = await startNode(t, { lent: shared() })
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org']) {
    await rejects(serve(runner, { functions: [], host, port: 0 }), /tls\.ca.*"authorize"/)
  }
  const served = await serve(runner, { functions: [], host: '0.0.0.0', port: 0, authorize: byName })
  match(served.url, /^http:\/\/0\.0\.0\.0:\d+$/)
  await served.close()
})

test('options that are not right are refused before anything listens', async (t) => {
  const { runner } = await startNode(t, { lent: shared() })
  const wrong: [object, RegExp][] = [
    [{}, /"functions" is missing/],
    [{ functions: [5] }, /functions"\[0\] must be a string/],
    [{ functions: [], port: -1 }, /port must be/],
    [{ functions: [], prot: 1 }, /has no option "prot"/],
    [{ functions: [], tls: {} }, /tls\.key is missing/],
    [{ functions: [], tls: { key: 'k', cert: 'c', ca: [] } }, /tls\.ca must be/],
    [{ functions: [], limits: { rate: 0 } }, /limits\.rate must be/],
    [{ functions: [], limits: { connections: 'x' } }, /limits\.connections must be/],
    [{ functions: [], limits: { other: 1 } }, /limits has no option "other"/],
    [{ functions: [], authorize: true }, /"authorize" must be a function/],
  ]
  for (const [options, message] of wrong) {
    await rejects(serve(runner, options as Parameters<typeof serve>[1]), message)
  }
})

test('only the functions that are listed can be called', async (t) => {
  const { start, send } = await startNode(t, { lent: shared(), serve: { functions: ['add'] } })
  equal((await start('add', [1, 2])).status, 200)
  for (const fn of ['echo', 'toString', '__proto__', 'constructor']) equal((await start(fn, [])).status, 404, fn)
  deepEqual((await send('/functions')).json, { functions: ['add'] })
})

test('a page in a browser that has a name of its own lead to this machine gets nothing', async (t) => {
  const { served } = await startNode(t, { lent: shared() })
  const { port } = new URL(served.url)
  const asked = ask({ port, path: '/v1/functions', headers: { host: 'attacker.example' } }).end()
  const [response] = await once(asked, 'response')
  equal(response.statusCode, 403)
  response.resume()
  for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]:80', 'LOCALHOST:1']) {
    const [answer] = await once(ask({ port, path: '/v1/functions', headers: { host } }).end(), 'response')
    equal(answer.statusCode, 200, host)
    answer.resume()
  }
})

test('a call belongs to the principal that started it: for others it is not there', async (t) => {
  const { start, send } = await startNode(t, { lent: shared(), serve: { authorize: byName } })
  const { json } = await start('add', [1, 2], {}, alice)
  const path = pathOf(json['id'])
  equal((await send(path, { headers: alice })).status, 200)
  for (const [method, suffix] of [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/cancel'],
    ['GET', '/events'],
  ] as const) {
    const headers = { ...bob, accept: 'application/json, text/event-stream' }
    const answer = await send(path + suffix, { method, headers })
    deepEqual([answer.status, answer.json['code']], [404, 'CALL_UNKNOWN'], method + suffix)
  }
  deepEqual((await send('/calls', { headers: bob })).json['calls'], [])
  equal((await send('/calls', { headers: alice })).json['calls'].length, 1)
})

test('two principals never mean the same by an idempotency key', async (t) => {
  const { start } = await startNode(t, { lent: shared(), serve: { authorize: byName } })
  const key = { 'idempotency-key': 'order 1' }
  const first = await start('add', [1, 2], {}, { ...alice, ...key })
  const second = await start('add', [3, 4], {}, { ...bob, ...key })
  deepEqual([first.json['value'], second.json['value']], [3, 7])
})

test('the hook lets in, or does not, by the request, the function and the call', async (t) => {
  const targets: object[] = []
  const { start, send } = await startNode(t, {
    lent: shared(),
    serve: {
      authorize(request, target) {
        targets.push(target)
        if (target.fn === 'fail') throw Object.assign(new Error('say who you are'), { statusCode: 401 })
        if (target.fn === 'echo') throw new Error('the hook broke')
        return byName(request)
      },
    },
  })
  equal((await start('add', [1, 2])).status, 403)
  const { json } = await start('add', [1, 2], {}, alice)
  await send(pathOf(json['id']), { headers: alice })
  deepEqual(targets, [{ fn: 'add' }, { fn: 'add' }, { fn: 'add', call: json['id'] }])
  const unknown = await start('fail', [])
  deepEqual([unknown.status, unknown.json['detail']], [401, 'say who you are'])
  equal(unknown.headers.get('www-authenticate'), 'Bearer')
  equal((await start('echo', [])).status, 500)
  // Whoever watches the node need not be known.
  await shared().ready()
  for (const path of ['/health', '/ready', '/openapi.json']) equal((await send(path)).status, 200, path)
})

test('a principal that sends too many requests waits, and the others do not', async (t) => {
  const { send } = await startNode(t, { lent: shared(), serve: { authorize: byName, limits: { rate: 1 } } })
  const statuses: number[] = []
  for (let i = 0; i < 11; i++) statuses.push((await send('/functions', { headers: alice })).status)
  deepEqual(statuses, [...Array.from({ length: 10 }, () => 200), 429])
  const limited = await send('/functions', { headers: alice })
  deepEqual([limited.json['type'], limited.json['retryable']], ['urn:coatcheck:problem:rate-limited', true])
  match(limited.headers.get('retry-after') ?? '', /^([1-9]|10)$/)
  equal((await send('/functions', { headers: bob })).status, 200)
})

test('who is not let in cannot try without end', async (t) => {
  const { send } = await startNode(t, { lent: shared(), serve: { authorize: byName, limits: { rate: 1 } } })
  const statuses: number[] = []
  for (let i = 0; i < 11; i++) statuses.push((await send('/functions')).status)
  deepEqual(statuses, [...Array.from({ length: 10 }, () => 403), 429])
  equal((await send('/functions', { headers: alice })).status, 200)
})

test('who sends what is no request cannot do so without end, and the others are let in', async (t) => {
  const { send } = await startNode(t, { lent: shared(), serve: { authorize: byName, limits: { rate: 1 } } })
  const wrong = [
    () => send('/calls', { method: 'POST', body: '{', headers: alice }),
    () => send('/calls', { method: 'POST', body: 'x', headers: { ...alice, 'content-type': 'text/plain' } }),
    () => send('/calls', { method: 'POST', body: 'x'.repeat(2_000_000), headers: alice }),
    () => send('/calls', { method: 'POST', body: { fn: 5 }, headers: alice }),
    () => send('/calls?limit=x', { headers: alice }),
  ]
  const statuses: number[] = []
  for (let i = 0; i < 15; i++) statuses.push((await wrong[i % wrong.length]?.())?.status ?? 0)
  const first = [400, 415, 413, 400, 400]
  deepEqual(statuses, [...first, ...first, 429, 429, 429, 429, 429])
  equal((await send('/functions', { headers: alice })).status, 200)
})

test('who asks for what there is not cannot do so without end, and the others are let in', async (t) => {
  const { send, served } = await startNode(t, { lent: shared(), serve: { authorize: byName, limits: { rate: 1 } } })
  const paths = ['/v1/nowhere', '/nowhere', '/%ff', `/v1/calls/${'x'.repeat(300)}`]
  const statuses: number[] = []
  for (let i = 0; i < 12; i++) statuses.push((await sendTo(served.url + paths[i % paths.length])).status)
  const first = [404, 404, 400, 414]
  deepEqual(statuses, [...first, ...first, 404, 404, 429, 429])
  equal((await send('/functions', { headers: alice })).status, 200)
})

test('what the node fails at is in its log, and not in its answer', async (t) => {
  const lines: string[] = []
  const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
  const authorize = (): never => {
    throw new Error('the hook broke')
  }
  const { send } = await startNode(t, { lent: shared(), serve: { authorize, logger } })
  const { status, json, text } = await send('/functions')
  deepEqual([status, json['type'], json['started']], [500, 'urn:coatcheck:problem:internal', 'unknown'])
  equal(text.includes('broke'), false)
  equal(lines.length, 1)
  deepEqual(JSON.parse(lines[0] ?? '').err.message, 'the hook broke')
})

test('a principal holds no more waits than it may: a start is answered at once then, and a wait refused', async (t) => {
  const { start, send, posts, runner } = await startNode(t, {
    lent: shared(),
    serve: { authorize: byName, limits: { waitsPerPrincipal: 1, waits: 2 } },
  })
  const latch = posts.latch()
  const { json } = await start('hold', [latch.path], { timeout: 0 }, alice)
  const path = pathOf(json['id'])
  const first = send(path, { headers: alice })
  await until('a wait that is held', async () => (await runner.stats()).waits === 1)
  const second = await send(path, { headers: alice })
  deepEqual(
    [second.status, second.json['type'], second.headers.get('retry-after')],
    [429, 'urn:coatcheck:problem:too-many-waits', '1'],
  )
  const started = await start('hold', [latch.path], {}, alice)
  deepEqual(
    [started.status, started.headers.get('coatcheck-wait'), started.headers.get('retry-after')],
    [202, '0', '1'],
  )
  latch.open()
  equal((await first).json['finished'], true)
  equal((await send(path, { headers: alice })).status, 200)
})

test('a full queue is told with when to come again', async (t) => {
  const { start, posts } = await startNode(t, { runner: { threads: { max: 1 }, queueLimit: 0 } })
  const latch = posts.latch()
  await start('hold', [latch.path], { timeout: 0 })
  const full = await start('add', [1, 2])
  deepEqual(
    [full.status, full.json['code'], full.json['retryable'], full.headers.get('retry-after')],
    [429, 'QUEUE_FULL', true, '1'],
  )
  latch.open()
})

test('a caller whose connection is gone is nobody', () => {
  const raw = { socket: { destroyed: true }, headers: { host: 'localhost' } }
  const request = { raw } as unknown as Parameters<Principals['identify']>[0]
  throws(() => new Principals(undefined).identify(request, {}), /callers from elsewhere/)
})

/** A connection that has been asked over, and is kept. */
async function connected(t: TestContext, port: number, host: string): Promise<Socket> {
  const socket = connect({ port, host })
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.write('GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n')
  return socket
}

test('there are no more connections than the node allows, under each of its names', async (t) => {
  // As on a machine that has both.
  const addresses = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]
  const lookup = dns.lookup as (...args: unknown[]) => void
  t.mock.method(dns, 'lookup', (host: string, options: object, told: (...args: unknown[]) => void) =>
    host === 'localhost' ? told(null, addresses) : lookup(host, options, told),
  )
  for (const host of ['127.0.0.1', 'localhost']) {
    const { served } = await startNode(t, { lent: shared(), serve: { host, limits: { connections: 2 } } })
    const { port, hostname } = new URL(served.url)
    equal(hostname, host)
    const kept = [await connected(t, Number(port), '127.0.0.1'), await connected(t, Number(port), '127.0.0.1')]
    for (const socket of kept) match(String(await once(socket, 'data')), /^HTTP\/1\.1 200 /)
    const further = await connected(t, Number(port), '127.0.0.1')
    await once(
      further.on('error', () => undefined),
      'close',
    )
    equal(further.bytesRead, 0)
    await rejects(connected(t, Number(port), '::1'), 'there is one server only')
    kept[0]?.destroy()
    await until(
      'room',
      async () => (await sendTo(`http://127.0.0.1:${port}/v1/health`).catch(() => undefined))?.status === 200,
    )
  }
})
