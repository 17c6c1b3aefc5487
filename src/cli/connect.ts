import pTimeout from 'p-timeout'
import { importWithPeers } from './peers.ts'
import type { AnyFunctions } from '../model/functions.ts'
import { readPems } from './pem-files.ts'
import type { NodeAddress, RemoteNode } from './shell.ts'

const PEERS = ['undici', 'devalue']

/** Milliseconds that the node has to let go of calls whose values have been printed. */
const PARTING = 1_000

/** Connects to a node over HTTP. The environment says who asks, where certificates do not: a command line is seen by others. */
export async function connectTo({ url, ...files }: NodeAddress, env: NodeJS.ProcessEnv): Promise<RemoteNode> {
  const tls = readPems(files)
  const { createClient } = await importWithPeers(() => import('../adapters/client/connect.ts'), PEERS)
  const authorization = env['COATCHECK_AUTHORIZATION']
  const who = {
    ...(url.protocol === 'https:' && { tls }),
    ...(authorization !== undefined && { headers: { authorization } }),
  }
  // Whoever looks on wants to know at once that there is no node. One that goes away later may be back soon.
  const client = createClient<AnyFunctions>(url, who, { endsAtRefusal: true })
  return {
    start: (fn, args, options) => client.start(fn, args, options),
    wait: (id, options) => client.wait(id, options),
    cancel: (id, options) => client.cancel(id, options),
    list: (options) => client.list(options),
    stats: () => client.nodeStats(),
    // Not by `close`, which would wait for calls that others may come back for.
    async close() {
      await pTimeout(client.untilForgotten(), { milliseconds: PARTING, fallback: () => undefined })
      await client.disconnect()
    },
  }
}
