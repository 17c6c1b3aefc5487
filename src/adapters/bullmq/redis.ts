import type { ConnectionOptions, QueueEvents } from 'bullmq'
import { Redis, type RedisOptions } from 'ioredis'
import pTimeout from 'p-timeout'
import type { ResolvedAddress } from './options.ts'

/** Milliseconds after which a client that is waited for gives up on an answer of Redis. */
const ANSWER_WITHIN = 5_000

/** Milliseconds that the polite end of a connection may take. */
export const END_WITHIN = 1_000

/** Milliseconds before the how-manieth attempt to connect again, the first soon. */
const retryStrategy = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 10), 1_000)

/** Somebody waits for each answer: better an error than none. */
const FOR_CLIENTS: RedisOptions = {
  maxRetriesPerRequest: 3,
  commandTimeout: ANSWER_WITHIN,
  connectTimeout: ANSWER_WITHIN,
  retryStrategy,
}

/** BullMQ's loops and a machine's calls outlive any trouble of Redis. */
const FOR_LOOPS: RedisOptions = { maxRetriesPerRequest: null, commandTimeout: undefined, retryStrategy }

export function createClient(address: ResolvedAddress): Redis {
  return create(address, FOR_CLIENTS)
}

/** For the loops that make their connections themselves. Their types do not hold under exactOptionalPropertyTypes. */
export function loopOptions({ connection }: ResolvedAddress): ConnectionOptions {
  return { ...connection, ...FOR_LOOPS } as ConnectionOptions
}

export function createLoopClient(address: ResolvedAddress): Redis {
  return create(address, FOR_LOOPS)
}

function create({ connection }: ResolvedAddress, settings: RedisOptions): Redis {
  const { url, ...options } = connection
  const all = { ...options, ...settings }
  return gathering(url === undefined ? new Redis(all) : new Redis(url, all))
}

/** Lets what is asked in one turn of the event loop travel in one write: a system call for each costs more than all else. */
function gathering(client: Redis): Redis {
  const send = client.sendCommand.bind(client)
  let corked: Redis['stream'] | undefined
  client.sendCommand = (command, stream) => {
    // There is none yet at first.
    const socket = client.stream as Redis['stream'] | undefined
    if (socket && corked !== socket) {
      corked = socket
      socket.cork()
      process.nextTick(() => {
        corked = undefined
        socket.uncork()
      })
    }
    return send(command, stream)
  }
  return client
}

/** Ends a client, also one that cannot reach Redis. */
export async function endClient(client: Redis): Promise<void> {
  if (client.status === 'ready') await soon(client.quit())
  client.disconnect()
}

/** Ends the reading of events, also where Redis is gone: then BullMQ waits for the end of a connection that there is not. */
export async function endEvents(events: QueueEvents): Promise<void> {
  await soon(events.close())
}

async function soon(ended: Promise<unknown>): Promise<void> {
  // What fails was about to end in any case.
  await pTimeout(ended, { milliseconds: END_WITHIN, fallback: () => undefined }).catch(() => undefined)
}

/**
 * Refuses a Redis that drops keys when its memory is full: calls would be gone without a trace.
 *
 * @throws Error for any eviction policy but `noeviction`.
 */
export async function checkPolicy(client: Redis): Promise<void> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info('memory'))?.[1]
  if (policy === undefined || policy === 'noeviction') return
  throw new Error(
    `Redis must have the eviction policy noeviction, or it drops calls: its maxmemory-policy is ${policy}`,
  )
}
