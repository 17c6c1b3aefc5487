import { deepEqual, equal, ok } from 'node:assert/strict'
import { isShort } from '../../helpers/short.ts'
import { test, type TestContext } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { CallError, type Runner } from '../../../src/index.ts'
import {
  commonRunner,
  endOf,
  watchWorkers,
  within,
  type Functions,
  type Workers,
} from '../../fixtures/threads/harness.ts'

interface End {
  cell: number
  fn: keyof Functions
  end: { value: unknown } | { error: unknown }
}

type Kind = 'small' | 'short' | 'async' | 'exit' | 'throw' | 'memory' | 'deadline' | 'cancel'

test(
  '100,000 calls over 4 threads that are killed at random: each ends, and none runs twice',
  { timeout: 300_000 },
  async (t) => {
    const random = seeded(t)
    const workers = watchWorkers(t)
    const runner = commonRunner(t, {
      threads: { max: 4, resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 8 } },
      queueLimit: 200_000,
    })
    const total = isShort ? 20_000 : 100_000
    const killer = new Killer(workers, random, total / 40)
    // Those that have begun calls: one that dies before that counts as one that cannot start.
    const chaos = new Chaos(runner, total, () => killer.callEnded((worker) => chaos.threads.has(worker.threadId)))
    const kindOf = (cell: number): Kind => {
      if (cell % 19_997 === 100) return 'memory'
      if (cell % 4_001 === 200) return 'exit'
      if (cell % 5_003 === 300) return 'throw'
      if (cell % 3_001 === 400) return 'cancel'
      if (cell % 5_501 === 500) return 'deadline'
      return random() < 0.7 ? 'small' : random() < 0.9 ? 'short' : 'async'
    }
    for (let cell = 0; cell < total; cell++) {
      chaos.start(kindOf(cell), cell, random)
      if (cell % 1_000 === 999) await new Promise((resolve) => setTimeout(resolve, 10 + random() * 60))
    }
    const ends = await within(250_000, Promise.all(chaos.ends), 'a call does not end')

    const tally = chaos.check(ends)
    t.diagnostic(`${killer.kills} threads killed, ${workers.made.length} made; ${JSON.stringify(tally)}`)
    ok(killer.kills > 20, `only ${killer.kills} threads were killed`)
    // What had not begun when its thread died ran on another, and its caller never knew.
    deepEqual(
      Object.keys(tally).filter((key) => key.endsWith(' no') && key !== 'ABORTED no'),
      [],
    )
    equal(runner.stats().calls.queued + runner.stats().calls.running, 0)
  },
)

test(
  'also threads that are still starting are killed: each call ends, and none runs twice',
  { timeout: 300_000 },
  async (t) => {
    const random = seeded(t)
    const workers = watchWorkers(t)
    const runner = commonRunner(t, { threads: { min: 0, max: 4, concurrency: 3 }, queueLimit: 200_000 })
    const total = 20_000
    const killer = new Killer(workers, random, total / 100)
    const chaos = new Chaos(runner, total, () => killer.callEnded(() => true))
    for (let cell = 0; cell < total; cell++) {
      chaos.start(
        cell % 1_001 === 0 ? 'cancel' : cell % 1_501 === 1 ? 'deadline' : cell % 3 === 0 ? 'async' : 'short',
        cell,
        random,
      )
      if (cell % 500 === 499) await new Promise((resolve) => setTimeout(resolve, 20 + random() * 60))
    }
    const ends = await within(200_000, Promise.all(chaos.ends), 'a call does not end')

    const tally = chaos.check(ends)
    t.diagnostic(`${killer.kills} threads killed, ${workers.made.length} made; ${JSON.stringify(tally)}`)
    ok(killer.kills > 10, `only ${killer.kills} threads were killed`)
    equal(await untilItRuns(runner), 3)
  },
)

/** Starts calls of all kinds, each with a cell of its own, and checks what became of them. */
class Chaos {
  readonly ends: Promise<End>[] = []
  /** The threads that have run calls. */
  readonly threads = new Set<unknown>()
  readonly #runner: Runner<Functions>
  readonly #cells: Int32Array<SharedArrayBuffer>
  readonly #onEnd: () => void

  constructor(runner: Runner<Functions>, total: number, onEnd: () => void) {
    this.#runner = runner
    this.#onEnd = onEnd
    this.#cells = new Int32Array(new SharedArrayBuffer(total * Int32Array.BYTES_PER_ELEMENT))
  }

  start(kind: Kind, cell: number, random: () => number): void {
    const runner = this.#runner
    const cells = this.#cells
    switch (kind) {
      case 'small':
        return this.#add('count', cell, runner.call('count', [cells, cell]))
      case 'short':
        return this.#add('countFor', cell, runner.call('countFor', [cells, cell, random() * 0.2]))
      case 'async':
        return this.#add('countAsync', cell, runner.call('countAsync', [cells, cell]))
      case 'exit':
        return this.#add('countThenExit', cell, runner.call('countThenExit', [cells, cell, 3]))
      case 'throw':
        return this.#add('countThenThrowInTimer', cell, runner.call('countThenThrowInTimer', [cells, cell]))
      case 'memory':
        return this.#add('countThenEatMemory', cell, runner.call('countThenEatMemory', [cells, cell]))
      case 'deadline': {
        const options = { abortAfter: 1 + random() * 100, grace: 0 }
        return this.#add('countThenSpin', cell, runner.call('countThenSpin', [cells, cell], options))
      }
      default: {
        const controller = new AbortController()
        setTimeout(() => controller.abort(), random() * 200)
        const options = { signal: controller.signal, grace: 0 }
        return this.#add('countThenSpin', cell, runner.call('countThenSpin', [cells, cell], options))
      }
    }
  }

  #add(fn: keyof Functions, cell: number, call: Promise<unknown>): void {
    this.ends.push(
      endOf(call).then((end) => {
        if ('value' in end) this.threads.add(end.value)
        this.#onEnd()
        return { cell, fn, end }
      }),
    )
  }

  /** Counts the ends by code and `started`. */
  check(ends: readonly End[]): Record<string, number> {
    const tally: Record<string, number> = {}
    for (const { cell, fn, end } of ends) {
      const ran = this.#cells[cell]
      let how = 'ok'
      if ('error' in end) {
        ok(end.error instanceof CallError, `${fn} ended with ${String(end.error)}`)
        how = `${end.error.code} ${end.error.started}`
        ok(end.error.started !== 'unknown', how)
        if (end.error.started === 'no') equal(ran, 0, `${fn} ran, and ended with ${how}`)
        else ok(ran === 0 || ran === 1, `${fn} ran ${ran} times, and ended with ${how}`)
      } else {
        equal(ran, 1, `${fn} ran ${ran} times, and ended well`)
      }
      tally[how] = (tally[how] ?? 0) + 1
    }
    return tally
  }
}

/**
 * Kills threads, one every few calls: by what was done and not by the clock, so that a slow machine is not all kills. Each
 * dies a random time later, not just when a result has arrived.
 */
class Killer {
  readonly #killed = new Set<Worker>()
  readonly #workers: Workers
  readonly #random: () => number
  readonly #every: number
  #ended = 0
  #next: number

  /** @param every calls between two kills, on average. */
  constructor(workers: Workers, random: () => number, every: number) {
    this.#workers = workers
    this.#random = random
    this.#every = every
    this.#next = every
  }

  get kills(): number {
    return this.#killed.size
  }

  callEnded(mayDie: (worker: Worker) => boolean): void {
    this.#ended += 1
    if (this.#ended < this.#next) return
    this.#next += this.#random() * 2 * this.#every
    setTimeout(() => this.#kill(mayDie), this.#random() * 10)
  }

  #kill(mayDie: (worker: Worker) => boolean): void {
    const candidates = [...this.#workers.alive].filter((worker) => !this.#killed.has(worker) && mayDie(worker))
    const worker = candidates[Math.floor(this.#random() * candidates.length)]
    if (!worker) return
    this.#killed.add(worker)
    void worker.terminate()
  }
}

/** Random numbers that can be had again: the seed is in the test's output. */
function seeded(t: TestContext): () => number {
  let state = Date.now() % 2 ** 31
  t.diagnostic(`seed ${state}`)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

async function untilItRuns(runner: Runner<Functions>): Promise<number> {
  // The longest pause after threads that did not start is half a minute.
  const until = performance.now() + 35_000
  for (;;) {
    const end = await endOf(runner.call('add', [1, 2]))
    if ('value' in end) return end.value
    if (performance.now() > until) throw end.error
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
