import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { systemClock } from '../../model/clock.ts'
import type { AnyFunctions } from '../../model/functions.ts'
import type { CloseOptions, Runner } from '../../model/runner.ts'
import { Connections } from './connections.ts'
import type { HttpNode } from './http-node.ts'
import { nodeTagOf } from './node-tag.ts'
import { resolveHttpOptions } from './options.ts'
import { addTo } from './plugin.ts'
import { pluginLimits, resolveServeOptions, type ServeOptions } from './serve-options.ts'
import { createServer, type Refused } from './server.ts'

/** A node that others can call. */
export interface Served extends AsyncDisposable {
  /** Where: `http://127.0.0.1:1811`, without a path. */
  readonly url: string
  /**
   * Ends the node. It is not ready any more and takes no more calls; waits go on to be answered until the runner has
   * closed, then the connections end. Can be called again, also with `abort` after a call without.
   *
   * @throws as the runner's `close`.
   */
  close(options?: CloseOptions): Promise<void>
}

/**
 * Lets others call the functions of a runner over HTTP: `await serve(runner, { functions: ['resize'] })`.
 *
 * It listens on this machine only unless it is told otherwise, and on any other address it wants to know its callers: by
 * certificates (`tls.ca`) or by an `authorize` hook. The runner is the node's from then on: `close` closes it.
 *
 * @throws TypeError or RangeError for an option that is not right; Error when it cannot listen.
 */
export async function serve<F = AnyFunctions>(runner: Runner<F>, options: ServeOptions<F>): Promise<Served> {
  const resolved = resolveServeOptions(options)
  const { port, host, prefix, tls } = resolved
  const { functions, authorize } = options
  const pluginOptions = {
    runner,
    functions,
    limits: pluginLimits(options.limits),
    ...(authorize !== undefined && { authorize }),
  }
  resolveHttpOptions(pluginOptions)
  let node: HttpNode | undefined
  const refused: Refused = async (request, error) => (node ? node.refusedOutside(request, error) : error)
  const app = createServer(resolved, nodeTagOf(runner), refused)
  const connections = new Connections(app)
  const add = async (own: FastifyInstance): Promise<void> => {
    node = await addTo(own, pluginOptions, systemClock)
  }
  void app.register(add, { prefix })
  try {
    await app.listen({ port, host: addressOf(host) })
  } catch (error) {
    await app.close()
    throw error
  }
  const address = app.server.address() as AddressInfo
  let closing: Promise<void> | undefined

  const close = async (closeOptions?: CloseOptions): Promise<void> => {
    // Each time, as it may be to abort what was to end before.
    await runner.close(closeOptions)
    closing ??= connections.close()
    await closing
  }
  return {
    url: `${tls ? 'https' : 'http'}://${urlHost(host)}:${address.port}`,
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}

/** For this name Fastify would make a second server, which has none of the limits. */
function addressOf(host: string): string {
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : host
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
