import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { connect, type ConnectOptions } from '../../../src/client.ts'
import { serve, type Served, type ServeOptions } from '../../../src/http.ts'
import { createRunner, type Runner, type StartOptions } from '../../../src/index.ts'
import { createAuthority } from '../../helpers/certificates.ts'
import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { Signposts } from '../../helpers/latch.ts'
import { CALLS, type Calls } from '../../suites/place.ts'
import { UnreliableProxy, type Fault } from './unreliable-proxy.ts'

cacheCompiled()

const isLong = process.env['COATCHECK_LONG_TESTS'] === '1'

/** Milliseconds. Far above what all the faults of a case take. */
const MARGIN = 8_000

const fault: fc.Arbitrary<Fault> = fc.record({
  direction: fc.constantFrom('up', 'down'),
  bytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_500 })),
  kind: fc.constantFrom('reset', 'close', 'half-close', 'delay'),
  ms: fc.integer({ min: 1, max: 40 }),
})

const example = fc.record({
  faults: fc.array(fault, { maxLength: 5 }),
  timeout: fc.constantFrom(0, 5, 60, 10_000, Infinity),
  retain: fc.constantFrom(undefined, 600_000),
  hasKey: fc.boolean(),
  /** Milliseconds after which the function may end. */
  held: fc.integer({ min: 0, max: 80 }),
})

const ways = [
  { name: 'HTTP', cases: isLong ? 500 : 40, secured: async () => ({ node: {}, client: {} }) },
  {
    name: 'HTTP/2 by mutual TLS',
    cases: isLong ? 500 : 30,
    async secured() {
      const authority = await createAuthority('authority')
      const { ca } = authority
      return {
        node: { tls: { ...(await authority.certify('node')), ca } },
        client: { tls: { ...(await authority.certify('client')), ca } },
      }
    },
  },
] satisfies {
  name: string
  cases: number
  secured(): Promise<{ node: Partial<ServeOptions>; client: ConnectOptions }>
}[]

for (const { name, cases, secured } of ways) {
  describe(`over ${name} whose connections break`, () => {
    let runner: Runner<Calls>
    let node: Served
    let proxy: UnreliableProxy
    let url: string
    let options: ConnectOptions
    const posts = new Signposts()

    before(async () => {
      const parts = await secured()
      options = { ...parts.client, margin: MARGIN }
      runner = createRunner<Calls>({ functions: CALLS, threads: { max: 4, concurrency: 8 } })
      node = await serve(runner, {
        port: 0,
        functions: ['holdThenLeave'],
        limits: { rate: 100_000 },
        ...(parts.node as Partial<ServeOptions<Calls>>),
      })
      await runner.ready()
      const { protocol, port } = new URL(node.url)
      proxy = await UnreliableProxy.listen(() => Number(port))
      url = `${protocol}//localhost:${proxy.port}`
    })

    after(async () => {
      await proxy.close()
      await node.close({ abort: true, grace: 0 })
      posts.remove()
    })

    test('no call is lost, and none runs twice', async (t) => {
      const seed = Date.now()
      t.diagnostic(`seed ${seed}, ${cases} cases`)
      let count = 0
      await fc.assert(
        fc.asyncProperty(example, async ({ faults, timeout, retain, hasKey, held }) => {
          count += 1
          const [latch, trail] = [posts.latch(), posts.trail()]
          const client = connect<Calls>(url, options)
          proxy.faults = [...faults]
          try {
            setTimeout(() => latch.open(), held)
            const given: StartOptions = {
              timeout,
              ...(retain !== undefined && { retain }),
              ...(hasKey && { idempotencyKey: `case ${count}` }),
            }
            let status = await client.start('holdThenLeave', [latch.path, trail.path, 'ran'], given)
            while (!status.finished) status = await client.wait(status.id, { timeout: 30 })
            assert.ok(status.ok)
            assert.deepEqual(trail.read(), ['ran'])
          } finally {
            await client.close()
          }
        }),
        { seed, numRuns: cases },
      )
    })
  })
}
