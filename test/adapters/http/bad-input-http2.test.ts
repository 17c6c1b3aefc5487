import { equal, match, ok } from 'node:assert/strict'
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { createAuthority } from '../../helpers/certificates.ts'
import { until } from '../../helpers/latch.ts'
import { requests, type ArbitraryRequest } from './arbitrary-requests.ts'
import { sharedNode } from './served.ts'

const CASES = process.env['COATCHECK_LONG_TESTS'] === '1' ? 10_000 : 500

const authority = await createAuthority('coatcheck tests')
const tls = await authority.certify('node')
const node = sharedNode(() => ({ serve: { tls, limits: { rate: 1_000_000 } } }))

let session: ClientHttp2Session | undefined
after(() => session?.destroy())

/** The node ends a connection on which too much was wrong or taken back. */
function connected(): ClientHttp2Session {
  if (!session || session.closed || session.destroyed) {
    session = connect(node().served.url, { ca: authority.ca }).on('error', () => undefined)
  }
  return session
}

/** Begins a request; undefined for one that a client of HTTP/2 cannot send. */
function begin({ method, path, query, headers, type }: ArbitraryRequest): ClientHttp2Stream | undefined {
  const target = method === 'CONNECT' ? { ':authority': 'localhost:80' } : { ':path': path + query }
  const own = type === '' ? {} : { 'content-type': type }
  // The length is told by the frames: the client itself ends a request that says another one.
  const others = headers.filter(([name]) => name !== 'content-length')
  try {
    const stream = connected().request(
      { ...Object.fromEntries(others), ...own, ':method': method, ...target },
      { endStream: false },
    )
    return stream.on('error', () => undefined)
  } catch {
    return undefined
  }
}

interface Answer {
  status: number | undefined
  type: string
  body: string
}

/** Sends the body, and reads the answer. It has no status where the frames were not right before there was a request. */
async function answerTo(stream: ClientHttp2Stream, sent: string): Promise<Answer> {
  const answer: Answer = { status: undefined, type: '', body: '' }
  stream.on('response', (headers) => {
    answer.status = headers[':status']
    answer.type = String(headers['content-type'])
  })
  stream.setEncoding('utf8').on('data', (chunk: string) => (answer.body += chunk))
  if (!stream.writableEnded) stream.end(sent)
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve))
  return answer
}

/** Asserts that the node is as it was. */
async function checkNode(): Promise<void> {
  const health = connected().request({ ':path': '/v1/health' })
  equal((await answerTo(health, '')).status, 200)
  const { runner } = node()
  await until('no waits', () => runner.stats().waits === 0)
}

test(`whatever is sent over HTTP/2, no answer is a failure of the node, and each refusal is a problem (${CASES} cases)`, async () => {
  const counts = new Map<unknown, number>()
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const stream = begin(request)
      const { status, type, body } = stream ? await answerTo(stream, request.body) : { type: '', body: '' }
      const counted = status ?? (stream ? `not a request: ${stream.rstCode}` : 'not sent')
      counts.set(counted, (counts.get(counted) ?? 0) + 1)
      if (status === undefined) {
        ok(!stream || stream.rstCode === constants.NGHTTP2_PROTOCOL_ERROR, `ended with ${stream?.rstCode}`)
        return
      }
      ok(status >= 200 && status < 500, `${request.method} ${request.path} was answered with ${status}`)
      if (status < 400 || request.method === 'HEAD') return
      match(type, /^application\/problem\+json/)
      equal(JSON.parse(body).status, status)
    }),
    { numRuns: CASES },
  )
  console.log(`answers by status: ${JSON.stringify(Object.fromEntries(counts))}`)
  await checkNode()
})

test(`wherever a request of HTTP/2 is taken back or cut off, the node goes on (${CASES} cases)`, async () => {
  await fc.assert(
    fc.asyncProperty(
      requests,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 9 }),
      async (request, part, how) => {
        const stream = begin(request)
        if (!stream) return
        const ended = new Promise((resolve) => stream.once('close', resolve))
        if (!stream.writableEnded) stream.write(request.body.slice(0, Math.floor(request.body.length * part)))
        stream.resume()
        // Now and then with all that is on the connection.
        if (how === 0) connected().destroy()
        else stream.close(how)
        await ended
      },
    ),
    { numRuns: CASES },
  )
  await checkNode()
})
