import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { connect, type Client, type ConnectOptions } from '../../../src/client.ts'
import { serve, type Served, type ServeOptions } from '../../../src/http.ts'
import { CallError, createRunner, type CallStatus, type Runner, type StartOptions } from '../../../src/index.ts'
import { createAuthority } from '../../helpers/certificates.ts'
import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { Signposts, until } from '../../helpers/latch.ts'
import { CALLS, type Calls } from '../../suites/place.ts'
import { UnreliableProxy, type Fault } from './unreliable-proxy.ts'

cacheCompiled()

const isLong = process.env['COATCHECK_LONG_TESTS'] === '1'

/** Milliseconds. Far above what all the faults of a case take. */
const MARGIN = 8_000

const direction = fc.constantFrom('up', 'down')
const bytes = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_500 }))

const fault: fc.Arbitrary<Fault> = fc.record({
  direction,
  bytes,
  kind: fc.constantFrom('reset', 'close', 'half-close', 'delay'),
  ms: fc.integer({ min: 1, max: 40 }),
})

const someFaults = fc.array(fault, { maxLength: 5 })

const example = fc.record({
  faults: someFaults,
  timeout: fc.constantFrom(0, 5, 60, 10_000, Infinity),
  retain: fc.constantFrom(undefined, 600_000),
  hasKey: fc.boolean(),
  /** Milliseconds after which the function may end. */
  held: fc.integer({ min: 0, max: 80 }),
})

/** Milliseconds after which a node is given up whose connection is stalled. */
const SHORT_MARGIN = 700

const stall: fc.Arbitrary<Fault> = fc.record({ direction, bytes, kind: fc.constant('stall') })

/** Calls that may come to nothing. */
const doubtful = fc.record({
  faults: fc.oneof(
    someFaults,
    fc.tuple(fc.array(fault, { maxLength: 2 }), stall).map(([first, last]) => first.concat(last)),
  ),
  timeout: fc.constantFrom(0, 5, 60, 10_000),
  retain: fc.constantFrom(undefined, 0, SHORT_MARGIN * 2.5, 600_000),
  /** Milliseconds after which the call is aborted. */
  abortAt: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  held: fc.integer({ min: 0, max: 80 }),
})

/** What a call came to, as its caller was told. */
async function toldOf(client: Client<Calls>, starting: Promise<CallStatus>): Promise<'value' | CallError> {
  try {
    let status = await starting
    while (!status.finished) status = await client.wait(status.id, { timeout: 30 })
    return status.ok ? 'value' : status.error
  } catch (error) {
    assert.ok(error instanceof CallError, String(error))
    return error
  }
}

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

    test('a call that is aborted, not kept or given up runs once at most, and what is told of it is true', async (t) => {
      const seed = Date.now()
      t.diagnostic(`seed ${seed}, ${isLong ? cases : cases / 2} cases`)
      const told = new Map<string, number>()
      await fc.assert(
        fc.asyncProperty(doubtful, async ({ faults: some, timeout, retain, abortAt, held }) => {
          const [latch, trail] = [posts.latch(), posts.trail()]
          const client = connect<Calls>(url, { ...options, margin: SHORT_MARGIN })
          const controller = new AbortController()
          proxy.faults = [...some]
          const timers = [setTimeout(() => latch.open(), held)]
          if (abortAt !== undefined) timers.push(setTimeout(() => controller.abort(), abortAt))
          const given: StartOptions = {
            timeout,
            ...(retain !== undefined && { retain }),
            ...(abortAt !== undefined && { signal: controller.signal }),
          }
          const end = await toldOf(client, client.start('holdThenLeave', [latch.path, trail.path, 'ran'], given))
          await client.close()
          // Some end before it is time for that.
          for (const timer of timers) clearTimeout(timer)
          latch.open()
          // Whatever is still on its way is there then.
          await until('silence', () => {
            proxy.cut()
            const { calls } = runner.stats()
            return proxy.connections === 0 && calls.queued + calls.running === 0
          })
          const ran = trail.read().length
          const what = end === 'value' ? end : `${end.code}, started: ${end.started}`
          told.set(what, (told.get(what) ?? 0) + 1)
          assert.ok(ran <= 1, `ran ${ran} times: ${what}`)
          if (end === 'value') assert.equal(ran, 1)
          else if (end.started === 'no') assert.equal(ran, 0, what)
          else if (end.code === 'CALL_EXPIRED') assert.ok(retain !== undefined && retain < 600_000)
          else assert.ok(end.code === 'NODE_UNREACHABLE', what)
        }),
        { seed, numRuns: isLong ? cases : cases / 2 },
      )
      for (const [what, count] of told) t.diagnostic(`${what}: ${count}`)
    })
  })
}
