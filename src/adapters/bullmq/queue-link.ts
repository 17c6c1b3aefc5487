import type { QueueEvents } from 'bullmq'
import type { Redis } from 'ioredis'
import { CallIds } from '../../model/call-id.ts'
import type { ResolvedAddress } from './options.ts'
import { readQueueEvents, type QueueListener } from './queue-events.ts'
import { baseOf } from './queue-keys.ts'
import { QueueStore } from './queue-store.ts'
import { checkPolicy, createClient, endClient, endEvents } from './redis.ts'
import { ServerClock } from './server-clock.ts'

/** The connections of a client to its queue: one for what it asks, one for what it hears. */
export class QueueLink {
  readonly store: QueueStore
  readonly clock: ServerClock
  readonly #address: ResolvedAddress
  readonly #listener: QueueListener
  readonly #onReconnect: () => void
  readonly #client: Redis
  #ids: CallIds | undefined
  #events: QueueEvents | undefined
  #opening: Promise<void> | undefined
  #isOpen = false

  constructor(address: ResolvedAddress, clock: ServerClock, listener: QueueListener, onReconnect: () => void) {
    this.#address = address
    this.#listener = listener
    this.#onReconnect = onReconnect
    this.clock = clock
    this.#client = createClient(address)
    this.#client.on('error', (error: Error) => listener.failing(error))
    this.#client.on('ready', () => {
      if (this.#isOpen) this.#reopen()
    })
    this.store = new QueueStore(this.#client, baseOf(address))
  }

  /** Whether calls can be handed in without a wait for the connection. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The maker of this queue's call IDs, once the link is open. */
  get ids(): CallIds {
    if (!this.#ids) throw new Error('asked for an ID before the link was open')
    return this.#ids
  }

  /**
   * Connects, unless that was done. After a failure the next one who asks tries again.
   *
   * @throws Error for an eviction policy that drops calls; what the connection failed with.
   */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async close(): Promise<void> {
    // It may be opening: what that makes has to be ended too.
    await this.#opening?.catch(() => undefined)
    this.#isOpen = false
    if (this.#events) await endEvents(this.#events)
    await endClient(this.#client)
  }

  async #open(): Promise<void> {
    await checkPolicy(this.#client)
    const [after] = await Promise.all([this.store.lastEventId(), this.#learn()])
    this.#events ??= readQueueEvents(this.#address, after, this.#listener)
    this.#isOpen = true
  }

  /** What may be otherwise after Redis was away. */
  async #learn(): Promise<void> {
    const [tag] = await Promise.all([this.store.tag(), this.clock.set(this.#client), this.store.load()])
    if (this.#ids?.tag !== tag) this.#ids = new CallIds(tag)
  }

  #reopen(): void {
    this.#learn().then(this.#onReconnect, (error: Error) => this.#listener.failing(error))
  }
}
