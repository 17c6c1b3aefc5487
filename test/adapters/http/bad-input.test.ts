import assert, { deepEqual, equal, match } from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { sendRaw, type RawAnswer } from './raw.ts'
import { sharedNode, startNode } from './served.ts'

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

const methods = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND', 'get', 'X')
const text = fc.string({ unit: 'grapheme-ascii', maxLength: 20 })
const segment = fc.oneof(
  fc.constantFrom('v1', 'calls', 'cancel', 'events', 'functions', 'stats', '..', '%2e', '%00', '%ff', '1:2:3.5:aa'),
  text.map(encodeURIComponent),
)
const queries = fc.oneof(
  fc.constant(''),
  fc
    .tuple(fc.constantFrom('timeout', 'limit', 'cursor', 'state', 'fn', 'x'), text)
    .map(([name, value]) => `?${name}=${encodeURIComponent(value)}`),
)
const paths = fc.oneof(
  fc.constantFrom('/v1/calls', '/v1/calls/x/cancel', '/v1/calls/x', '/v1/calls/x/events', '*', '//', '/v1//calls'),
  fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`),
)
const header = fc.tuple(
  fc.constantFrom(
    'accept',
    'prefer',
    'if-none-match',
    'last-event-id',
    'idempotency-key',
    'coatcheck-node',
    'content-type',
    'transfer-encoding',
    'content-length',
    'content-encoding',
    'expect',
    'upgrade',
    'x-other',
  ),
  fc.oneof(
    text,
    fc.constantFrom(
      'application/json',
      'application/vnd.coatcheck+json',
      '*/*',
      'chunked',
      '0',
      '-1',
      '5',
      'gzip',
      'text/event-stream',
    ),
  ),
)
const json = fc.oneof(
  fc.json(),
  fc
    .record(
      {
        fn: fc.oneof(fc.constantFrom('echo', 'nothing', '__proto__'), fc.jsonValue()),
        args: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())),
        timeout: fc.oneof(fc.constant(0), fc.jsonValue()),
        extra: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
)
const bodies = fc.oneof(
  fc.constant(''),
  json,
  text,
  json.map((value) => value.slice(0, -1)),
)
const types = fc.constantFrom('application/json', 'application/vnd.coatcheck+json', 'text/plain', '')

const request = fc.record({
  method: methods,
  path: paths,
  query: queries,
  headers: fc.array(header, { maxLength: 3 }),
  body: bodies,
  type: types,
})

test(`whatever is sent, no answer is a failure of the node, and each refusal is a problem (${CASES} cases)`, async () => {
  const counts = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, headers, body, type }) => {
      const lines = [
        `${method} ${path}${query} HTTP/1.1`,
        'host: localhost',
        'connection: close',
        ...headers.map(([name, value]) => `${name}: ${value}`),
        ...(type === '' ? [] : [`content-type: ${type}`]),
        ...(body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
      ]
      const answer = await sendRaw(port(), `${lines.join('\r\n')}\r\n\r\n${body}`)
      counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
      assert.ok(answer.status >= 200 && answer.status < 500, `${lines[0]} was answered with ${answer.status}`)
      if (answer.status >= 400 && method !== 'HEAD') typeOf(answer)
    }),
    { numRuns: CASES },
  )
  console.log(`answers by status: ${JSON.stringify(Object.fromEntries(counts))}`)
  equal((await node().send('/health')).status, 200)
  assert.ok((await node().runner.stats()).waits === 0)
})
