import { after, before, describe } from 'node:test'
import { connectQueue } from '../../../src/bullmq.ts'
import type { Runner } from '../../../src/index.ts'
import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { Machine } from '../../helpers/machine.ts'
import { noRedis, RedisServer } from '../../helpers/redis-server.ts'
import { CALLS, type Calls, type PlaceOptions } from '../../suites/place.ts'
import { runnerSuite } from '../../suites/runner-suite.ts'

/** Bytes: the suite sends large values. */
const VALUE_LIMIT = 64_000_000

let redis: RedisServer
let machine: Machine
let queues = 0

cacheCompiled()

describe('a queue', { skip: noRedis }, () => {
  before(async () => {
    redis = await RedisServer.start()
    machine = new Machine()
  })
  after(async () => {
    await machine.kill()
    await redis.remove()
  })

  runnerSuite({
    capabilities: {
      transfer: false,
      killsBusyLoops: true,
      functionLogs: false,
      memoryLimit: true,
      answersAfterClose: false,
      knowsFunctions: false,
      lateIds: false,
      servesUnloadable: false,
      callTimes: true,
      quickCalls: false,
    },
    create,
  })
})

/** A client of a queue of its own. Another process serves it. */
async function create(options: PlaceOptions): Promise<Runner<Calls>> {
  const { atOnce = 2, inOneThread = false, isFresh = false, memoryLimit, functions = CALLS, grace, ...more } = options
  const { logger: _logger, ...others } = more
  queues += 1
  const queue = { queue: `queue-${queues}`, connection: redis.connection, valueLimit: VALUE_LIMIT }
  const local = {
    functions,
    threads: {
      max: inOneThread ? 1 : atOnce,
      concurrency: inOneThread ? atOnce : 1,
      ...(memoryLimit !== undefined && { resourceLimits: { maxOldGenerationSizeMb: memoryLimit } }),
    },
    ...(others.define && { define: others.define }),
    ...(grace !== undefined && { grace }),
  }
  const isUsual = others.define === undefined && memoryLimit === undefined && grace === undefined && !isFresh
  await machine.serve(local, { ...queue, concurrency: atOnce }, isUsual)
  const client = connectQueue<Calls>({ ...queue, ...others })
  const close = client.close.bind(client)
  client.close = async (closeOptions) => {
    await close(closeOptions)
    await machine.close(queue.queue, { abort: true, grace: 0 })
  }
  return client
}
