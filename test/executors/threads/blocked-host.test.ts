import { equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { awaitLatch, awaitLatchBlocking, block, createLatch, openLatch } from '../../fixtures/threads/latch.ts'
import { commonRunner, within } from '../../fixtures/threads/harness.ts'

// The runner's own event loop is blocked, as applications do.

for (const timeout of [2, 30, 100]) {
  test(`a call that ended while the event loop was blocked has ended, although its wait of ${timeout} ms is over`, async (t) => {
    const runner = commonRunner(t, { threads: { max: 1 } })
    for (let i = 0; i < 20; i++) await runner.call('blockFor', [0])
    for (let round = 0; round < 4; round++) {
      const ends = createLatch()
      // From here the event loop comes to its timers before it comes to what has arrived.
      await new Promise((resolve) => setImmediate(resolve))
      const waiting = runner.start('blockFor', [timeout / 2, ends], { timeout })
      // Sent, then blocked until well after both the call's end and the wait's: no timer fires before that.
      await new Promise<void>((resolve) => process.nextTick(resolve))
      awaitLatchBlocking(ends)
      block(timeout + 200)
      const status = await within(5_000, waiting, 'the wait is not answered')
      ok(status.finished && status.ok, `round ${round}: the wait was answered as if the call had not ended`)
    }
  })
}

test('the same holds for a wait that came later, and for one that only looks', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 20; i++) await runner.call('blockFor', [0])
  for (let round = 0; round < 4; round++) {
    const ends = createLatch()
    const first = await runner.start('blockFor', [30, ends], { timeout: 0 })
    ok(!first.finished)
    await new Promise((resolve) => setImmediate(resolve))
    const waiting = runner.wait(first.id, { timeout: 50 })
    await new Promise<void>((resolve) => process.nextTick(resolve))
    awaitLatchBlocking(ends)
    block(250)
    const status = await within(5_000, waiting, 'the wait is not answered')
    ok(status.finished && status.ok, `round ${round}: the wait was answered as if the call had not ended`)
  }
})

test('the same holds for waits that had lived for a while when the event loop was blocked', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  await runner.ready()
  for (let round = 0; round < 3; round++) {
    const [started, release] = [createLatch(), createLatch()]
    const waiting = runner.start('hold', [started, release], { timeout: 500 })
    await awaitLatch(started)
    await sleep(30)
    // Between the event loop's look for messages and its look for timers that are due.
    await new Promise((resolve) => setImmediate(resolve))
    openLatch(release)
    block(700)
    const status = await within(5_000, waiting, 'the wait is not answered')
    ok(status.finished && status.ok, `round ${round}: the wait was answered as if the call had not ended`)
  }
})

test('a wait whose time is over is answered soon, although the event loop was blocked', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  await runner.ready()
  const [started, release] = [createLatch(), createLatch()]
  const waiting = runner.start('hold', [started, release], { timeout: 50 })
  await awaitLatch(started)
  block(200)
  const status = await within(2_000, waiting, 'the wait is not answered')
  ok(!status.finished)
  equal(status.state, 'running')
  openLatch(release)
})

test('a call that ended in time is not aborted because the event loop was blocked at its deadline', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 20; i++) await runner.call('blockFor', [0])
  for (let round = 0; round < 2; round++) {
    const ends = createLatch()
    const call = runner.call('blockFor', [20, ends], { abortAfter: 500, grace: 0 })
    await new Promise((resolve) => setImmediate(resolve))
    awaitLatchBlocking(ends)
    block(700)
    ok((await within(5_000, call, 'the call does not end')) > 0)
  }
})

test('nor is its thread, or a call beside it, ended for that', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1, concurrency: 2 } })
  const release = createLatch()
  const [startedBeside, started, releaseFirst] = [createLatch(), createLatch(), createLatch()]
  const beside = runner.call('holdAsync', [startedBeside, release])
  await awaitLatch(startedBeside)
  const call = runner.call('holdAsync', [started, releaseFirst], { abortAfter: 300, grace: 0 })
  await awaitLatch(started)
  await new Promise((resolve) => setImmediate(resolve))
  openLatch(releaseFirst)
  block(500)
  const thread = await within(5_000, call, 'the call does not end')
  openLatch(release)
  equal(await within(5_000, beside, 'the call beside it does not end'), thread)
})

test('calls end one after another while the event loop is blocked now and then', async (t) => {
  const runner = commonRunner(t, { threads: { max: 2 } })
  const calls = Array.from({ length: 500 }, (_, i) => runner.call('add', [i, 1]))
  for (let i = 0; i < 10; i++) {
    await sleep(1)
    block(30)
  }
  equal((await within(10_000, Promise.all(calls), 'a call does not end')).length, 500)
})
