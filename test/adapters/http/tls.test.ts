import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import type { OutgoingHttpHeaders } from 'node:http'
import { connect as connectHttp2, type ClientHttp2Stream } from 'node:http2'
import { request, type RequestOptions } from 'node:https'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { createAuthority, type Authority, type Certified } from '../../helpers/certificates.ts'
import { pathOf, sharedNode, startNode } from './served.ts'

let authority: Authority
let alice: Certified
let bob: Certified

const node = sharedNode(async () => {
  authority = await createAuthority('coatcheck tests')
  alice = await authority.certify('alice')
  bob = await authority.certify('bob')
  return { serve: { tls: { ...(await authority.certify('node')), ca: authority.ca } } }
})

/** The body of an answer to a request that has not ended itself. */
async function received(stream: ClientHttp2Stream): Promise<string> {
  let body = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
  await once(stream, 'end')
  return body
}

/** Resolves when a request has ended on both sides. */
async function closed(stream: ClientHttp2Stream): Promise<void> {
  if (!stream.closed) await once(stream, 'close')
}

interface Told {
  status: number
  json: Record<string, unknown>
}

/** Sends a request over HTTP/1.1. */
async function send(path: string, given: RequestOptions, body?: object): Promise<Told> {
  const url = new URL(`/v1${path}`, node().served.url)
  const headers = body ? { 'content-type': 'application/json' } : {}
  const sent = request(url, { ca: authority.ca, agent: false, method: body ? 'POST' : 'GET', headers, ...given })
  sent.end(body && JSON.stringify(body))
  const [response] = await once(sent, 'response')
  return { status: response.statusCode, json: JSON.parse(await text(response)) }
}

const ADD = { fn: 'add', args: [1, 2] }

test('a client with a certificate of the authority is let in, over HTTP/1.1', async () => {
  const { status, json } = await send('/calls', alice, ADD)
  deepEqual([status, json['value']], [200, 3])
})

test('HTTP/2 is spoken with those who know it', async (t) => {
  const session = connectHttp2(node().served.url, { ca: authority.ca, ...alice })
  t.after(() => session.close())
  const stream = session.request({ ':method': 'POST', ':path': '/v1/calls', 'content-type': 'application/json' })
  stream.end(JSON.stringify(ADD))
  const [headers] = await once(stream, 'response')
  deepEqual([headers[':status'], JSON.parse(await text(stream)).value], [200, 3])
  equal(session.alpnProtocol, 'h2')
})

test('what HTTP/2 can ask for beyond that is refused with a problem', async (t) => {
  const session = connectHttp2(node().served.url, { ca: authority.ca, ...alice })
  t.after(() => session.close())
  const requests: [OutgoingHttpHeaders, number][] = [
    [{ ':path': '/v1/health', expect: 'more' }, 417],
    [{ ':method': 'CONNECT', ':authority': 'example.org:80' }, 400],
    [{ ':path': '/nowhere' }, 404],
    [{ ':path': '/v1/calls/%ff' }, 400],
  ]
  for (const [headers, status] of requests) {
    const stream = session.request(headers, { endStream: true })
    const [answer] = await once(stream, 'response')
    deepEqual([answer[':status'], JSON.parse(await text(stream)).status], [status, status], JSON.stringify(headers))
  }
})

test('a request of HTTP/2 whose body does not arrive in time is answered, and ended', async (t) => {
  const tls = { ...(await authority.certify('node')), ca: authority.ca }
  const { served, runner } = await startNode(t, { serve: { tls, limits: { requestTimeout: 100 } } })
  const session = connectHttp2(served.url, { ca: authority.ca, ...alice })
  t.after(() => session.destroy())
  const late = session.request({ ':method': 'POST', ':path': '/v1/calls', 'content-type': 'application/json' })
  late.write('{"fn":"add",')
  const [headers] = await once(late, 'response')
  const problem = JSON.parse(await received(late))
  deepEqual([headers[':status'], problem.type, problem.retryable], [408, 'urn:coatcheck:problem:request-timeout', true])
  await closed(late)

  const endless = session.request({ ':path': '/v1/health', ':method': 'GET' }, { endStream: false })
  deepEqual((await once(endless, 'response'))[0][':status'], 200)
  equal(JSON.parse(await received(endless)).status, 'ok')
  await closed(endless)

  const waiting = session.request({ ':path': '/v1/calls', ':method': 'POST', 'content-type': 'application/json' })
  waiting.end(JSON.stringify({ fn: 'returnWhenAborted', args: ['in its own time'], abortAfter: 300, grace: 60_000 }))
  equal(JSON.parse(await text(waiting)).value, 'in its own time')
  equal(runner.stats().waits, 0)
})

test('a wait goes with the client of HTTP/2 that takes its request back', async () => {
  const { posts, runner, served } = node()
  const latch = posts.latch()
  const session = connectHttp2(served.url, { ca: authority.ca, ...alice })
  const stream = session.request({ ':method': 'POST', ':path': '/v1/calls', 'content-type': 'application/json' })
  stream.end(JSON.stringify({ fn: 'hold', args: [latch.path] }))
  stream.on('error', () => undefined)
  while ((await runner.stats()).waits === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  stream.close(8)
  while ((await runner.stats()).waits > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  latch.open()
  session.close()
})

test('the subject of the certificate owns the call', async () => {
  const { json } = await send('/calls', alice, ADD)
  const path = pathOf(String(json['id']))
  equal((await send(path, alice)).status, 200)
  equal((await send(path, bob)).status, 404)
})

test('a client without a certificate, with one of another authority, or with an expired one is refused', async () => {
  const other = await createAuthority('others')
  const refused = [{}, await other.certify('alice'), await authority.certify('alice', { expired: true })]
  for (const certificate of refused) {
    await rejects(send('/health', certificate), /alert|ECONNRESET|socket hang up/)
    const session = connectHttp2(node().served.url, { ca: authority.ca, ...certificate })
    session.on('error', () => undefined)
    const stream = session.request({ ':path': '/v1/health' })
    let isAnswered = false
    stream.on('response', () => (isAnswered = true)).on('error', () => undefined)
    await new Promise((resolve) => stream.once('close', resolve))
    equal(isAnswered, false)
    session.destroy()
  }
})

test('a certificate that names nobody is no principal', async () => {
  equal((await send('/functions', await authority.certify(''))).status, 403)
})

test('TLS before 1.2 is not spoken', async () => {
  const { hostname: host, port } = new URL(node().served.url)
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const socket = connectTls({ host, port: Number(port), ca: authority.ca, ...alice, ...old })
  const [error] = await once(socket, 'error')
  ok(/version|protocol/i.test(String(error)), String(error))
  equal((await send('/health', { ...alice, maxVersion: 'TLSv1.2' })).status, 200)
})
