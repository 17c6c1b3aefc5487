// What a call in a process of its own costs, with the package as it is built: `npm run figures`. All figures of a part
// come from one run, with what they are held against in turn.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Tinypool } from 'tinypool'
import { median } from './harness/percentiles.ts'
import type * as coatcheck from '../src/index.ts'

interface Functions {
  noop(): void
}

const { createRunner } = (await import(new URL('../dist/index.js', import.meta.url).href)) as typeof coatcheck

const FUNCTIONS = new URL('./noop.mjs', import.meta.url)
const CALLS = 100
const ROUNDS = 5
const GIGABYTE = 1e9

await latency()
await throughput()
await stalls()

/** A call when a spare is ready, beside a start of Node that does nothing. */
async function latency(): Promise<void> {
  const runner = isolatedRunner()
  const ready: number[] = []
  const cold: number[] = []
  for (let i = 0; i < CALLS; i++) {
    await runner.ready()
    ready.push(await millisecondsOf(() => runner.call('noop', [])))
    cold.push(await millisecondsOf(() => spawnSync(process.execPath, ['-e', '0'])))
  }
  await runner.close()
  say('isolated no-op, spare ready', `median ${median(ready).toFixed(2)} ms`)
  say('cold start of Node', `median ${median(cold).toFixed(1)} ms`)
}

/** Calls one after another in a process that serves many, beside a pool that keeps its processes. */
async function throughput(): Promise<void> {
  const runner = createRunner<Functions>({
    functions: FUNCTIONS,
    isolation: 'process',
    processes: { max: 1 },
    define: { noop: { reuse: 1_000_000 } },
  })
  const pool = new Tinypool({ filename: FUNCTIONS.href, runtime: 'child_process', minThreads: 1, maxThreads: 1 })
  const ratesOf = { runner: [] as number[], pool: [] as number[] }
  // In turn: the machine's speed drifts. The first round is to warm up.
  for (let round = 0; round <= ROUNDS; round++) {
    const ours = await rateOf(() => runner.call('noop', []))
    const theirs = await rateOf(() => pool.run(undefined))
    if (round === 0) continue
    ratesOf.runner.push(ours)
    ratesOf.pool.push(theirs)
  }
  await runner.close()
  await pool.destroy()
  say('reuse, one at a time', `${median(ratesOf.runner).toFixed(0)} calls/s`)
  say('tinypool child_process, one at a time', `${median(ratesOf.pool).toFixed(0)} calls/s`)
}

/** How long the event loop of a large host stands still at most, while nothing runs, isolated calls, or other starts of Node. */
async function stalls(): Promise<void> {
  const heap = fillHeap()
  const runner = isolatedRunner()
  const loop = `for i in $(seq ${CALLS}); do "$0" -e 0; done`
  const works: Record<string, () => Promise<unknown>> = {
    'nothing, for 3 s': () => sleep(3_000),
    [`${CALLS} isolated calls`]: async () => {
      for (let i = 0; i < CALLS; i++) await runner.call('noop', [])
    },
    [`${CALLS} starts of Node by somebody else`]: () =>
      once(spawn('sh', ['-c', loop, process.execPath], { stdio: 'ignore' }), 'exit'),
    [`${CALLS} spawns by the host itself`]: async () => {
      for (let i = 0; i < CALLS; i++) await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
    },
  }
  const longest = new Map(Object.keys(works).map((name) => [name, [] as number[]]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, work] of Object.entries(works)) {
      await runner.ready()
      await sleep(200)
      longest.get(name)?.push(await longestStall(work))
    }
  }
  await runner.close()
  say(`host with ${(process.memoryUsage().heapUsed / GIGABYTE).toFixed(1)} GB of heap`, `${heap.length} arrays`)
  for (const [name, all] of longest) {
    const each = all.map((ms) => ms.toFixed(1)).join(' ')
    say(`longest stall, ${name}`, `median ${median(all).toFixed(1)} ms of ${each}`)
  }
}

function isolatedRunner(): coatcheck.Runner<Functions> {
  return createRunner<Functions>({ functions: FUNCTIONS, isolation: 'process', processes: { spares: 2 } })
}

function fillHeap(): unknown[] {
  const heap: unknown[] = []
  while (process.memoryUsage().heapUsed < GIGABYTE)
    heap.push(Array.from({ length: 10_000 }, (_, i) => ({ i, s: `${i}` })))
  return heap
}

/** Milliseconds by which a timer of 1 ms was late at most. */
async function longestStall(work: () => Promise<unknown>): Promise<number> {
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last - 1)
    last = now
  }, 1)
  await work()
  clearInterval(timer)
  return longest
}

async function millisecondsOf(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function rateOf(call: () => Promise<unknown>): Promise<number> {
  const count = 3_000
  const ms = await millisecondsOf(async () => {
    for (let i = 0; i < count; i++) await call()
  })
  return (count / ms) * 1_000
}

function say(what: string, figure: string): void {
  console.log(`${what.padEnd(56)} ${figure}`)
}
