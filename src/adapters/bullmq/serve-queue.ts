import type { Runner } from '../../model/runner.ts'
import { resolveServe, type ServeOptions } from './options.ts'
import { QueueServer } from './queue-server.ts'

/**
 * Serves a queue with the runner of this machine: resolves once its functions can run and it takes calls.
 *
 * A machine that dies with a call is noticed after `lockDuration` and two looks of another one. The runner stays its
 * owner's: close what this gives, and then the runner.
 *
 * @throws TypeError or RangeError for an option that is not right; Error for a Redis that does not answer or whose eviction
 * policy is not `noeviction`; CallError `SPAWN_FAILED` for functions that cannot be loaded.
 */
export async function serveQueue<F>(runner: Runner<F>, options: ServeOptions): Promise<QueueServer> {
  const resolved = resolveServe(options)
  await runner.ready()
  const server = new QueueServer(runner as Runner, resolved)
  try {
    await server.open()
  } catch (error) {
    await server.close()
    throw error
  }
  return server
}
