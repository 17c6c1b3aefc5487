import { connect, type Client, type ConnectOptions } from '../../../src/client.ts'
import { serve, type Served, type ServeOptions } from '../../../src/http.ts'
import { createRunner } from '../../../src/index.ts'
import * as calls from '../../fixtures/calls.ts'
import { CALLS, type Calls, type Place } from '../../suites/place.ts'

/** Those of the functions module, and some that only its runner knows not to be there. */
const NAMES = [...Object.keys(calls), 'subtract', 'ADD', 'toString', 'constructor', 'f'] as (keyof Calls)[]

const MEGABYTE = 1_048_576

/** A node and its client, which speak to one another over real sockets. */
export function remotePlace(
  serveOptions: Partial<ServeOptions<Calls>> = {},
  connectOptions: ConnectOptions = {},
): Place {
  const nodes = new Map<unknown, Served>()
  return {
    capabilities: {
      transfer: true,
      killsBusyLoops: true,
      functionLogs: true,
      memoryLimit: true,
      answersAfterClose: false,
      // The node tells every call's ID as soon as it is admitted, as its answer could get lost.
      lateIds: false,
      callTimes: false,
      quickCalls: false,
    },

    async create({ atOnce = 2, inOneThread = false, memoryLimit, functions = CALLS, ...options }) {
      const places = inOneThread ? { max: 1, concurrency: atOnce } : { max: atOnce }
      const resourceLimits =
        memoryLimit === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimit } }
      const runner = createRunner<Calls>({ functions, threads: { ...places, ...resourceLimits }, ...options })
      const node = await serve(runner, {
        functions: NAMES as 'add'[],
        port: 0,
        limits: { body: 64 * MEGABYTE, rate: 100_000 },
        ...serveOptions,
      })
      const client: Client<Calls> = connect<Calls>(node.url, connectOptions)
      nodes.set(client, node)
      return client
    },

    async destroy(client) {
      await nodes.get(client)?.close({ abort: true, grace: 0 })
      nodes.delete(client)
    },
  }
}
