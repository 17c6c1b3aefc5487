import { after } from 'node:test'
import { connect, type ConnectOptions } from '../../../src/client.ts'
import { serve, type Served, type ServeOptions } from '../../../src/http.ts'
import { createRunner, type Runner } from '../../../src/index.ts'
import * as calls from '../../fixtures/calls.ts'
import { CALLS, type Calls, type Place, type PlaceOptions } from '../../suites/place.ts'

/** Those of the functions module, and some that only its runner knows not to be there. */
const NAMES = [...Object.keys(calls), 'subtract', 'ADD', 'toString', 'constructor', 'f']

const MEGABYTE = 1_048_576

interface Node {
  runner: Runner<Calls>
  served: Served
}

/**
 * A node and its client, which speak to one another over real sockets. A node with nothing special goes on to the next
 * test: each client is a caller of its own, whom the calls of others do not concern.
 */
export function remotePlace(
  serveOptions: Partial<ServeOptions<Calls>> = {},
  connectOptions: ConnectOptions = {},
): Place {
  const nodes = new Map<unknown, { node: Node; isUsual: boolean }>()
  const idle: Node[] = []
  let clients = 0
  after(() => Promise.all(idle.map(({ served }) => served.close())))

  return {
    capabilities: {
      transfer: true,
      killsBusyLoops: true,
      functionLogs: true,
      memoryLimit: true,
      answersAfterClose: false,
      // The node tells every call's ID as soon as it is admitted, as its answer could get lost.
      lateIds: false,
      knowsFunctions: true,
      servesUnloadable: true,
      callTimes: false,
      quickCalls: false,
    },

    async create(options) {
      const isUsual = Object.keys(options).length === 0
      const node = (isUsual ? idle.pop() : undefined) ?? (await createNode(options, serveOptions))
      clients += 1
      const headers = { caller: `caller ${clients}` }
      const client = connect<Calls>(node.served.url, { ...connectOptions, headers })
      nodes.set(client, { node, isUsual })
      return client
    },

    waitsHeld(client) {
      const { node } = nodes.get(client) ?? {}
      if (!node) throw new Error('this client has no node')
      return node.runner.stats().waits
    },

    async destroy(client) {
      const { node, isUsual } = nodes.get(client) ?? {}
      nodes.delete(client)
      if (!node) return
      if (isUsual) {
        await forgetAll(node.runner)
        idle.push(node)
      } else await node.served.close({ abort: true, grace: 0 })
    },
  }
}

async function forgetAll(runner: Runner<Calls>): Promise<void> {
  const { calls: kept } = await runner.list({ state: 'finished', limit: 10_000 })
  await Promise.all(kept.map(({ id }) => runner.forget(id)))
}

async function createNode(given: PlaceOptions, serveOptions: Partial<ServeOptions<Calls>>): Promise<Node> {
  const { atOnce = 2, inOneThread = false, isFresh: _any, memoryLimit, functions = CALLS, ...options } = given
  const places = inOneThread ? { max: 1, concurrency: atOnce } : { max: atOnce }
  const resourceLimits = memoryLimit === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimit } }
  const runner = createRunner<Calls>({ functions, threads: { ...places, ...resourceLimits }, ...options })
  const served = await serve(runner, {
    functions: NAMES as 'add'[],
    port: 0,
    limits: { body: 64 * MEGABYTE, rate: 100_000 },
    authorize: ({ headers }) => String(headers['caller']),
    ...serveOptions,
  })
  return { runner, served }
}
