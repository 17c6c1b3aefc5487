import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { RICH_TYPE } from '../../../src/adapters/wire/media.ts'
import { documents, requests, type ArbitraryRequest } from './arbitrary-requests.ts'
import { sendRaw, type RawAnswer } from './raw.ts'
import { sharedNode, startNode, type Node } from './served.ts'

const CASES = process.env['COATCHECK_LONG_TESTS'] === '1' ? 10_000 : 500

const node = sharedNode(() => ({ serve: { limits: { rate: 1_000_000 } } }))

function port(): number {
  return Number(new URL(node().served.url).port)
}

/** Asserts that the answer is a problem, and gives its type. */
function typeOf({ status, headers, body }: RawAnswer): string {
  match(headers, /content-type: application\/problem\+json/i)
  const problem = JSON.parse(body)
  equal(problem.status, status)
  return problem.type.slice('urn:coatcheck:problem:'.length)
}

test('what is no request of HTTP is answered with a problem', async () => {
  const cases: [string, number, string][] = [
    ['nonsense\r\n\r\n', 400, 'malformed-request'],
    ['GET /v1/health HTTP/9.9\r\n\r\n', 400, 'malformed-request'],
    ['GET /v1/health HTTP/1.1\r\nhost: localhost\r\nbad header\r\n\r\n', 400, 'malformed-request'],
    [`GET /v1/health HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
    ['GET /v1/functions HTTP/1.1\r\nconnection: close\r\n\r\n', 403, 'forbidden'],
    ['GET /%ff HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 400, 'invalid-request'],
    ['GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 404, 'not-found'],
    ['GET /v1/health HTTP/1.1\r\nhost: localhost\r\nexpect: more\r\n\r\n', 417, 'expectation-failed'],
    ['CONNECT example.org:80 HTTP/1.1\r\nhost: example.org\r\n\r\n', 400, 'invalid-request'],
  ]
  for (const [bytes, status, type] of cases) {
    const answer = await sendRaw(port(), bytes)
    deepEqual([answer.status, typeOf(answer)], [status, type], bytes.slice(0, 60))
  }
})

test('a request that was answered is not answered again for what is wrong with its rest', async () => {
  for (const expect of ['', 'expect: more\r\n']) {
    const bytes = `GET /nowhere HTTP/1.1\r\nhost: localhost\r\n${expect}transfer-encoding: x\r\nconnection: close\r\n\r\n`
    typeOf(await sendRaw(port(), bytes))
  }
})

test('a request that does not arrive in time is answered with a problem', async (t) => {
  const { served } = await startNode(t, { serve: { limits: { headersTimeout: 50, requestTimeout: 100 } } })
  const socket = connect(Number(new URL(served.url).port), '127.0.0.1')
  socket.write('POST /v1/calls HTTP/1.1\r\n')
  const [answer] = await new Promise<[Buffer]>((resolve) => socket.once('data', (data) => resolve([data])))
  match(answer.toString(), /^HTTP\/1\.1 408 [^]*request-timeout/)
  socket.destroy()
})

/** Asserts that an answer is none of the node's failing. */
function check({ status, headers, body }: RawAnswer, { method, path }: ArbitraryRequest): void {
  ok(status >= 200 && status < 500, `${method} ${path} was answered with ${status}`)
  if (status >= 400 && method !== 'HEAD') typeOf({ status, headers, body })
}

/** Asserts that the node is as it was. */
async function checkNode({ send, runner }: Node): Promise<void> {
  equal((await send('/health')).status, 200)
  equal(runner.stats().waits, 0)
}

function written({ method, path, query, headers, body, type }: ArbitraryRequest): string {
  const lines = [
    `${method} ${path}${query} HTTP/1.1`,
    'host: localhost',
    'connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(type === '' ? [] : [`content-type: ${type}`]),
    ...(body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

test(`whatever is sent, no answer is a failure of the node, and each refusal is a problem (${CASES} cases)`, async () => {
  const counts = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const answer = await sendRaw(port(), written(request))
      counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
      check(answer, request)
    }),
    { numRuns: CASES },
  )
  console.log(`answers by status: ${JSON.stringify(Object.fromEntries(counts))}`)
  await checkNode(node())
})

test(`wherever a request is cut off, the node goes on (${CASES} cases)`, async () => {
  await fc.assert(
    fc.asyncProperty(
      requests,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.boolean(),
      async (request, part, isReset) => {
        const bytes = written(request)
        const socket = connect(port(), '127.0.0.1').on('error', () => undefined)
        await once(socket, 'connect')
        socket.write(bytes.slice(0, Math.floor(bytes.length * part)))
        if (isReset) socket.resetAndDestroy()
        else socket.end().resume()
        await once(socket, 'close')
      },
    ),
    { numRuns: CASES },
  )
  await checkNode(node())
})

test(`whatever a document of values says, it is taken or refused (${CASES} cases)`, async () => {
  const counts = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(documents, async (args) => {
      const headers = { 'content-type': RICH_TYPE, accept: RICH_TYPE }
      const body = JSON.stringify({ fn: 'echo', args, retain: 0 })
      const { status, json } = await node().send('/calls', { method: 'POST', headers, body })
      counts.set(status, (counts.get(status) ?? 0) + 1)
      if (status === 200) equal(json['ok'], true)
      else deepEqual([status, json['type']], [422, 'urn:coatcheck:problem:arguments-unfit'])
    }),
    { numRuns: CASES },
  )
  console.log(`documents by status: ${JSON.stringify(Object.fromEntries(counts))}`)
  for (const status of [200, 422]) ok((counts.get(status) ?? 0) > CASES / 20, `${status}`)
  await checkNode(node())
})
