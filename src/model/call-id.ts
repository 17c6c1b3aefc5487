import { randomBytes, randomFillSync } from 'node:crypto'

/**
 * The name of a call: `${ppid}:${cpid}:${time}:${random}`.
 *
 * `ppid` is the runner's process ID; `cpid` the worker's `threadId` or the child's process ID, 0 for a call that waited
 * in the queue when the ID was made; `time` Unix time in seconds with decimals; `random` 40 hex digits, of which the
 * first 8 tag the runner and the other 32 are 128 random bits. Whoever holds an ID may ask for the call.
 */
export type CallId = `${number}:${number}:${number}:${string}`

const PATTERN = /^\d{1,10}:\d{1,10}:\d{1,12}\.\d{1,9}:([0-9a-f]{8})[0-9a-f]{32}$/

const SECRET_BYTES = 16
const POOLED_SECRETS = 128

/** Makes the IDs of one runner, and knows them again by their tag. */
export class CallIds {
  /** Eight hex digits that every ID of this runner carries. */
  readonly tag: string
  // One read of the random source serves many IDs.
  readonly #pool = Buffer.allocUnsafe(SECRET_BYTES * POOLED_SECRETS)
  #used = this.#pool.length

  /** @param tag of a runner that is spread over several processes; another one for each runner when left out. */
  constructor(tag: string = randomBytes(4).toString('hex')) {
    this.tag = tag
  }

  create(cpid: number): CallId {
    if (this.#used === this.#pool.length) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    const secret = this.#pool.toString('hex', this.#used, this.#used + SECRET_BYTES)
    this.#used += SECRET_BYTES
    return `${process.pid}:${cpid}:${(Date.now() / 1_000).toFixed(3) as `${number}`}:${this.tag}${secret}`
  }

  /** Says whose ID this is, from its form alone: this runner's, another runner's, or no call ID at all. */
  origin(id: string): 'own' | 'other' | 'none' {
    const tag = PATTERN.exec(id)?.[1]
    if (tag === undefined) return 'none'
    return tag === this.tag ? 'own' : 'other'
  }
}
