import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Queue, QueueEvents } from 'bullmq'
import type * as coatcheck from '../../src/bullmq.ts'
import { RedisServer } from '../../test/helpers/redis-server.ts'
import type * as functions from '../functions/functions.js'
import type { Contender, ContenderOptions } from './contender.ts'

const { connectQueue } = (await import(new URL('../../dist/bullmq.js', import.meta.url).href)) as typeof coatcheck

const QUEUE = 'bench'

/** A queue on a Redis of its own, whose machine is another process. */
export async function createQueue(options: ContenderOptions): Promise<Contender> {
  const { redis, close } = await startMachine('coatcheck', options)
  const runner = connectQueue<typeof functions>({ queue: QUEUE, connection: redis.connection })
  await runner.ready()
  return {
    call: (fn, argument) => runner.call(fn, argsOf(argument) as never),
    close: async () => {
      await runner.close()
      await close()
    },
  }
}

/** BullMQ as its guide has it: `add`, and `QueueEvents` to hear of the end. A map from jobs to whom waits for them. */
export async function createBare(options: ContenderOptions): Promise<Contender> {
  const { redis, close } = await startMachine('bare', options)
  const { connection } = redis
  const queue = new Queue(QUEUE, { connection, defaultJobOptions: { removeOnComplete: true } })
  const events = new QueueEvents(QUEUE, { connection })
  const waits = new Map<string, (value: unknown) => void>()
  // The job can end before `add` has answered.
  const early = new Map<string, unknown>()
  events.on('completed', ({ jobId, returnvalue }) => {
    const wait = waits.get(jobId)
    waits.delete(jobId)
    if (wait) wait(returnvalue)
    else early.set(jobId, returnvalue)
  })
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()])
  return {
    async call(fn, argument) {
      const { id = '' } = await queue.add(fn, argsOf(argument))
      if (early.has(id)) {
        const value = early.get(id)
        early.delete(id)
        return value
      }
      return new Promise((resolve) => waits.set(id, resolve))
    },
    close: async () => {
      await events.close()
      await queue.close()
      await close()
    },
  }
}

/** JSON has no undefined. */
function argsOf(argument: unknown): unknown[] {
  return argument === undefined ? [] : [argument]
}

async function startMachine(
  kind: 'bare' | 'coatcheck',
  { workers, concurrency = 1 }: ContenderOptions,
): Promise<{ redis: RedisServer; close: () => Promise<void> }> {
  const redis = await RedisServer.start()
  const script = fileURLToPath(new URL('./queue-machine.ts', import.meta.url))
  const machine: ChildProcess = fork(script, [kind, QUEUE, String(redis.port), String(workers), String(concurrency)])
  await once(machine, 'message')
  const close = async (): Promise<void> => {
    const ended = once(machine, 'exit')
    machine.disconnect()
    await ended
    await redis.remove()
  }
  return { redis, close }
}
