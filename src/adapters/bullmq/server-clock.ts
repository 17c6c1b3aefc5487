import type { Redis } from 'ioredis'

/** The clock of the Redis server, as far as it can be known here: all machines of a queue share that one. */
export class ServerClock {
  #offset = 0

  /** Unix time in milliseconds, with decimals. */
  now(): number {
    return performance.timeOrigin + performance.now() + this.#offset
  }

  async set(client: Redis): Promise<void> {
    const sent = performance.now()
    const [seconds, microseconds] = await client.time()
    const received = performance.now()
    const server = Number(seconds) * 1_000 + Number(microseconds) / 1_000
    this.#offset = server - (performance.timeOrigin + (sent + received) / 2)
  }
}
