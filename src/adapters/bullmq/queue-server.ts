import type { Job } from 'bullmq'
import type { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { readClose } from '../../caller/requests.ts'
import { systemClock, type Timer } from '../../model/clock.ts'
import type { CloseOptions, Runner } from '../../model/runner.ts'
import { CallServer } from './call-server.ts'
import type { JobData } from './job-data.ts'
import { LeasingWorker } from './leases.ts'
import type { ResolvedServeOptions } from './options.ts'
import { baseOf, ownKey } from './queue-keys.ts'
import { checkPolicy, createClient, createLoopClient, END_WITHIN, endClient } from './redis.ts'
import { ServedStore } from './served-store.ts'
import { ServerClock } from './server-clock.ts'

/** Milliseconds between two signs of life, and after which a machine that gives none serves no more. */
const SIGN_OF_LIFE = 5_000
const GONE_AFTER = 15_000

/** How often within `lockDuration` it is looked which locks are about to be over. */
const LOOKS = 16

/** Milliseconds between two looks whether Redis is waited for in vain. */
const LOOK = 100

/** Calls that are looked at in each sign of life, whether they can still be asked for. */
const SWEPT = 500

/** More often than calls may begin is nobody's wish: whether one may begin again is looked at when it is taken. */
const MOST_STALLS = 1_000_000

/** The part of this machine in a queue: it takes calls and runs them on its runner. */
export class QueueServer implements AsyncDisposable {
  readonly #options: ResolvedServeOptions
  readonly #name = randomUUID()
  readonly #base: string
  readonly #client: Redis
  readonly #subscriber: Redis
  readonly #store: ServedStore
  readonly #clock = new ServerClock()
  readonly #calls: CallServer
  #worker: LeasingWorker | undefined
  #sweptFrom = 0
  #timers: Timer[] = []
  #closing: Promise<void> | undefined
  #isServing = true
  #hasClosed = false

  constructor(runner: Runner, options: ResolvedServeOptions) {
    this.#options = options
    this.#base = baseOf(options)
    this.#client = createLoopClient(options)
    this.#subscriber = createLoopClient(options)
    for (const client of [this.#client, this.#subscriber]) client.on('error', this.#trouble)
    this.#store = new ServedStore(this.#client, this.#base)
    const { lockDuration, valueLimit } = options
    this.#calls = new CallServer({
      runner,
      store: this.#store,
      clock: this.#clock,
      lockDuration,
      valueLimit,
      onRunnerClosed: () => this.#takeNoMore(),
      onTrouble: this.#trouble,
    })
  }

  /** Resolves once calls are taken. @throws Error for a Redis that is not fit or does not answer. */
  async open(): Promise<void> {
    const { lockDuration, stalledInterval, queue, prefix, concurrency } = this.#options
    await this.#checkRedis()
    await Promise.all([this.#store.load(), this.#clock.set(this.#client), this.#hearCancels()])
    const worker = new LeasingWorker(
      queue,
      (job: Job<JobData>) => this.#calls.serve(job),
      {
        connection: this.#client,
        prefix,
        concurrency,
        lockDuration,
        stalledInterval,
        maxStalledCount: MOST_STALLS,
      },
      this.#calls,
    )
    worker.on('error', this.#trouble)
    this.#worker = worker
    await worker.waitUntilReady()
    await this.#signOfLife()
    this.#every(
      SIGN_OF_LIFE,
      () => this.#signOfLife(),
      () => this.#closing === undefined,
    )
    this.#every(
      lockDuration / LOOKS,
      async () => this.#calls.loseLate((2 * lockDuration) / LOOKS),
      () => !this.#hasClosed,
    )
  }

  /**
   * Takes no more calls, and resolves when those it has have ended, or have gone back. With `abort` they are asked to end:
   * those that had not begun, or may begin again, go back to the queue.
   */
  async close(options?: CloseOptions): Promise<void> {
    const { abort, grace } = readClose(options)
    this.#closing ??= this.#close()
    if (abort) this.#calls.abortAll('the machine stops to serve the queue', grace)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    // Before the first wait, so that a call that ends now does not fetch the next one.
    const closed = this.#worker?.close()
    const leaving = this.#leave().catch(this.#trouble)
    if (this.#worker) await Promise.race([closed, this.#abandonedBy(this.#worker)])
    this.#hasClosed = true
    for (const timer of this.#timers) timer.clear()
    this.#timers = []
    this.#calls.detach()
    // Without Redis nobody can be told, and they find out.
    if (this.#client.status === 'ready') await leaving
    await Promise.all([endClient(this.#client), endClient(this.#subscriber)])
  }

  /** Resolves when a worker that closes has no more calls and does not come to its end, because Redis does not answer. */
  async #abandonedBy(worker: LeasingWorker): Promise<void> {
    const { lockDuration } = this.#options
    let calm = 0
    while (calm < lockDuration) {
      await sleep(LOOK)
      if (this.#hasClosed) return
      const isInVain = !worker.isProcessing || this.#client.status !== 'ready'
      calm = this.#calls.running > 0 ? 0 : calm + LOOK
      if (isInVain && calm >= END_WITHIN) break
    }
    await worker.abandon()
  }

  /** The runner was closed, and this machine is still to be. */
  #takeNoMore(): void {
    if (!this.#isServing) return
    this.#isServing = false
    void this.#worker?.pause(true)
    this.#leave().catch(this.#trouble)
  }

  #leave(): Promise<void> {
    return this.#store.leave(this.#name, ownKey(this.#base, 'servers'))
  }

  async #checkRedis(): Promise<void> {
    const client = createClient(this.#options)
    client.on('error', this.#trouble)
    try {
      await checkPolicy(client)
    } finally {
      await endClient(client)
    }
  }

  async #hearCancels(): Promise<void> {
    const channel = ownKey(this.#base, 'cancel')
    this.#subscriber.on('message', (_channel, message) => {
      try {
        const { id, reason, grace } = JSON.parse(message) as Record<'id' | 'reason' | 'grace', string>
        this.#calls.cancel(id, { reason, grace: grace === '' ? undefined : Number(grace) })
      } catch (error) {
        // Anybody can write to a channel.
        this.#trouble(error)
      }
    })
    await this.#subscriber.subscribe(channel)
  }

  async #signOfLife(): Promise<void> {
    if (this.#isServing) await this.#store.serve(this.#name, this.#options.concurrency, GONE_AFTER)
    await this.#clock.set(this.#client)
    const dropped = await this.#store.sweep(this.#sweptFrom, SWEPT, this.#clock.now())
    this.#sweptFrom = dropped.isLast ? 0 : Math.max(0, this.#sweptFrom + SWEPT - dropped.count)
  }

  /** Does something again and again, each time after the last has ended. */
  #every(ms: number, act: () => Promise<void>, isWanted: () => boolean): void {
    const i = this.#timers.length
    const plan = (): void => {
      this.#timers[i] = systemClock.setTimeout(() => {
        act()
          .catch(this.#trouble)
          .finally(() => {
            if (isWanted()) plan()
          })
      }, ms)
    }
    plan()
  }

  readonly #trouble = (error: unknown): void => {
    this.#options.logger?.warn({ queue: this.#options.queue, err: error }, 'trouble with the queue')
  }
}
