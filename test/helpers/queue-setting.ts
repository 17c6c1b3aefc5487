import { after, before, type TestContext } from 'node:test'
import { connectQueue, type ConnectOptions, type QueueRunner, type ServeOptions } from '../../src/bullmq.ts'
import type { RunnerOptions } from '../../src/index.ts'
import type * as functions from '../fixtures/queue/functions.ts'
import { Signposts, until, type Trail } from './latch.ts'
import { Machine } from './machine.ts'
import { RedisProxy } from './redis-proxy.ts'
import { RedisServer } from './redis-server.ts'

export type Functions = typeof functions

const FUNCTIONS = new URL('../fixtures/queue/functions.ts', import.meta.url)

/** What a test has: a queue of its own, and what it makes of that. All of it is ended after it. */
export class QueueSetting {
  readonly queue: string
  readonly redis: RedisServer
  readonly posts = new Signposts()
  readonly machines: Machine[] = []
  readonly #t: TestContext

  constructor(t: TestContext, queue: string, redis: RedisServer) {
    this.#t = t
    this.queue = queue
    this.redis = redis
    t.after(() => this.posts.remove())
  }

  /** A process that serves the queue. It is noticed within about two seconds when it is gone. */
  async machine(serve: Partial<ServeOptions> = {}, local: Partial<RunnerOptions> = {}): Promise<Machine> {
    const machine = this.process()
    this.machines.push(machine)
    await machine.serve({ functions: FUNCTIONS, threads: { max: 2 }, ...local }, this.serveOptions(serve))
    return machine
  }

  serveOptions(serve: Partial<ServeOptions> = {}): ServeOptions {
    const { queue, redis } = this
    return { queue, connection: redis.connection, concurrency: 2, lockDuration: 1_000, stalledInterval: 200, ...serve }
  }

  /** A way to Redis that can be cut. */
  async proxy(): Promise<RedisProxy> {
    const proxy = await RedisProxy.start(this.redis.port)
    this.#t.after(() => proxy.close())
    return proxy
  }

  /** A process that serves nothing yet. */
  process(): Machine {
    const machine = new Machine()
    this.#t.after(() => machine.kill())
    return machine
  }

  client(options: Partial<ConnectOptions<Functions>> = {}): QueueRunner<Functions> {
    const { queue, redis } = this
    const client = connectQueue<Functions>({ queue, connection: redis.connection, ...options })
    this.#t.after(() => client.disconnect())
    return client
  }

  /** The machine on which a function has begun for the last time of `count` times. */
  async whereBegun(trail: Trail, count = 1): Promise<Machine> {
    const pids = await until('a start', () => {
      const lines = trail.read().filter((line) => line !== 'ended')
      return lines.length >= count ? lines : undefined
    })
    const machine = this.machines.find(({ pid }) => String(pid) === pids.at(-1))
    if (!machine) throw new Error(`no machine of this test has the process ID ${pids.at(-1)}`)
    return machine
  }
}

/** A Redis for all tests of a file, and a queue for each. */
export function queueSettings(...settings: string[]): (t: TestContext) => QueueSetting {
  let redis: RedisServer | undefined
  let count = 0
  before(async () => {
    redis = await RedisServer.start(...settings)
  })
  after(() => redis?.remove())
  return (t) => {
    if (!redis) throw new Error('asked for before the tests began')
    count += 1
    return new QueueSetting(t, `queue-${count}`, redis)
  }
}
