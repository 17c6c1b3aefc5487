import { equal, ok } from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type * as alive from '../fixtures/threads/alive.ts'
import { runnerOf, within } from '../fixtures/threads/harness.ts'

type Alive = typeof alive

const ALIVE = new URL('../fixtures/threads/alive.ts', import.meta.url)

// A thread's event loop is the functions module's own: its timers and sockets live on, whatever the runner does.

test("a module's timers tick on while its thread has nothing to do", async (t) => {
  const runner = runnerOf<Alive>(t, { functions: ALIVE, threads: { min: 1, max: 1 } })
  const before = await runner.call('ticked', [])
  await sleep(500)
  const after = await runner.call('ticked', [])
  ok(after - before >= 25, `${after - before} ticks of 5 ms in 500 ms`)
})

test("a module's server answers while its thread has nothing to do", async (t) => {
  const runner = runnerOf<Alive>(t, { functions: ALIVE, threads: { min: 1, max: 1 } })
  const port = await runner.call('port', [])
  await sleep(300)
  const thread = await runner.call('thread', [])
  equal(await within(5_000, text(connect(port, '127.0.0.1')), 'no answer comes'), `thread ${thread}`)
})

test("a module's timers tick on while one small call follows the other", async (t) => {
  const runner = runnerOf<Alive>(t, { functions: ALIVE, threads: { min: 1, max: 1 } })
  for (let i = 0; i < 1_000; i++) await runner.call('ticked', [])
  const before = await runner.call('ticked', [])
  const until = performance.now() + 1_000
  let longest = 0
  let [last, at] = [before, performance.now()]
  while (performance.now() < until) {
    const ticks = await runner.call('ticked', [])
    const now = performance.now()
    if (ticks > last) [last, at] = [ticks, now]
    else longest = Math.max(longest, now - at)
  }
  ok(last - before >= 50, `${last - before} ticks of 5 ms in 1 s`)
  ok(longest < 200, `no tick for ${longest} ms`)
})

test("a module's timers tick on while calls come in batches without end", async (t) => {
  const runner = runnerOf<Alive>(t, { functions: ALIVE, threads: { min: 1, max: 1 } })
  for (let i = 0; i < 1_000; i++) await runner.call('ticked', [])
  const before = await runner.call('ticked', [])
  const until = performance.now() + 1_000
  const chain = async (): Promise<void> => {
    while (performance.now() < until) await runner.call('ticked', [])
  }
  await Promise.all(Array.from({ length: 50 }, chain))
  const ticks = (await runner.call('ticked', [])) - before
  ok(ticks >= 50, `${ticks} ticks of 5 ms in 1 s`)
})
