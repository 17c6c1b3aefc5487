import { systemClock } from '../../model/clock.ts'
import type { AnyFunctions } from '../../model/functions.ts'
import type { Client } from './client.ts'
import { EventFeed } from './event-feed.ts'
import { Line } from './line.ts'
import { resolveConnect, type ConnectOptions, type OwnOptions } from './options.ts'
import { RemoteRunner } from './remote-runner.ts'
import { Transport } from './transport.ts'

/**
 * Gives the runner of a node that serves `coatcheck/http`: `connect<typeof functions>('https://node1:1811')`. The path of
 * the URL is the prefix under which it is served. Default: `/v1`.
 *
 * It connects when there is something to ask, and idle connections do not keep the process alive.
 *
 * @throws TypeError or RangeError for a URL or an option that is not right.
 */
export function connect<F = AnyFunctions>(url: string | URL, options?: ConnectOptions): Client<F> {
  return createClient<F>(url, options)
}

/** The same, with what only this package needs of it. */
export function createClient<F>(url: string | URL, options?: ConnectOptions, own?: OwnOptions): RemoteRunner<F> {
  const resolved = { ...resolveConnect(url, options), ...own }
  const { origin, tls, margin } = resolved
  const transport = new Transport({ origin, tls, connectTimeout: margin }, systemClock)
  return new RemoteRunner<F>({
    transport,
    line: new Line(transport, resolved, systemClock),
    feed: new EventFeed(resolved, systemClock),
    clock: systemClock,
    margin,
  })
}
