import { importWithPeers } from './peers.ts'
import { readPems } from './pem-files.ts'
import type { NodeAddress, RemoteNode } from './shell.ts'

const PEERS = ['undici', 'devalue']

/** Connects to a node over HTTP. The environment says who asks, where certificates do not: a command line is seen by others. */
export async function connectTo({ url, ...files }: NodeAddress, env: NodeJS.ProcessEnv): Promise<RemoteNode> {
  const tls = readPems(files)
  const { connect } = await importWithPeers(() => import('../client.ts'), PEERS)
  const authorization = env['COATCHECK_AUTHORIZATION']
  const client = connect(url, {
    ...(url.protocol === 'https:' && { tls }),
    ...(authorization !== undefined && { headers: { authorization } }),
  })
  return {
    start: (fn, args, options) => client.start(fn, args, options),
    wait: (id, options) => client.wait(id, options),
    cancel: (id, options) => client.cancel(id, options),
    list: (options) => client.list(options),
    stats: () => client.nodeStats(),
    // Not `close`, which would wait for calls that others may come back for.
    close: () => client.disconnect(),
  }
}
