import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { connect, type Client, type TlsOptions } from '../../../src/client.ts'
import { serve, type Served } from '../../../src/http.ts'
import { createRunner, type Runner } from '../../../src/index.ts'
import { createAuthority, type Authority, type Certified } from '../../helpers/certificates.ts'
import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { factsOf, refused } from '../../suites/answers.ts'
import { CALLS, type Calls } from '../../suites/place.ts'

cacheCompiled()

describe('by mutual TLS', () => {
  let authority: Authority
  let stranger: Authority
  let client: Certified
  let runner: Runner<Calls>
  const served: Served[] = []

  before(async () => {
    ;[authority, stranger] = await Promise.all([createAuthority('ours'), createAuthority('another')])
    client = await authority.certify('client')
    runner = createRunner<Calls>({ functions: CALLS, threads: { max: 1 } })
    await runner.ready()
  })

  after(() => Promise.all(served.map((node) => node.close())))

  async function nodeWith(certified: Certified): Promise<string> {
    const node = await serve(runner, { port: 0, functions: ['add'], tls: { ...certified, ca: authority.ca } })
    served.push(node)
    return node.url.replace('127.0.0.1', 'localhost')
  }

  function connectTo(t: TestContext, url: string, tls: TlsOptions, margin = 500): Client<Calls> {
    const made = connect<Calls>(url, { tls, margin })
    t.after(() => made.disconnect())
    return made
  }

  test('a client with a certificate of the authority is let in', async (t) => {
    const url = await nodeWith(await authority.certify('node'))
    assert.equal(await connectTo(t, url, { ca: authority.ca, ...client }).call('add', [1, 2]), 3)
  })

  test('a client with a wrong certificate, an expired one or none is not let in, and starts nothing', async (t) => {
    const url = await nodeWith(await authority.certify('node'))
    const admitted = runner.stats().total.admitted
    const wrong = [await stranger.certify('client'), await authority.certify('client', { expired: true }), {}]
    for (const tls of wrong) {
      const made = connectTo(t, url, { ca: authority.ca, ...tls })
      const error = await refused(made.start('add', [1, 2]), 'NODE_UNREACHABLE')
      assert.equal(error.started, 'no')
      await refused(made.list(), 'NODE_UNREACHABLE')
    }
    assert.equal(runner.stats().total.admitted, admitted)
  })

  test('a node whose certificate the client cannot verify is told at once, with the reason', async (t) => {
    const wrong = [
      [await stranger.certify('node'), {}, /certificate/],
      [await authority.certify('node', { expired: true }), {}, /expired/],
      [await authority.certify('node'), { servername: 'elsewhere' }, /elsewhere/],
    ] as const
    for (const [certified, tls, reason] of wrong) {
      const made = connectTo(t, await nodeWith(certified), { ca: authority.ca, ...client, ...tls }, 60_000)
      const began = performance.now()
      const error = await refused(made.start('add', [1, 2]), 'NODE_UNREACHABLE')
      assert.ok(performance.now() - began < 30_000)
      assert.deepEqual(factsOf(error), { fn: 'add', started: 'no', retryable: false })
      assert.match(error.message, reason)
    }
  })

  test('a client without TLS is not let in', async (t) => {
    const url = await nodeWith(await authority.certify('node'))
    const made = connect<Calls>(url.replace('https:', 'http:'), { margin: 500 })
    t.after(() => made.disconnect())
    await refused(made.start('add', [1, 2]), 'NODE_UNREACHABLE')
  })
})
