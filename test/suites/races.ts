import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CallFinished, CallStatus } from '../../src/index.ts'
import { until } from '../helpers/latch.ts'
import { begin, end, idOf, refused, untilRunning, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

export function raceRules(suite: Suite): void {
  test('all waits on one call are answered, with the same answer', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'for all'])
    const waits = Array.from({ length: 1_000 }, (_, i) => runner.wait(id, { timeout: i % 2 ? Infinity : 600_000 }))
    latch.open()
    const expected = { finished: true, ok: true, value: 'for all', id }
    for (const status of await Promise.all(waits)) assert.deepEqual(status, expected)
    await until('no waits', async () => (await runner.stats()).waits === 0)
  })

  test('waits that time out leave the others, and nothing behind', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'done'])
    const long = [runner.wait(id, { timeout: Infinity }), runner.wait(id, { timeout: 600_000 })]
    const short = await Promise.all(Array.from({ length: 300 }, (_, i) => runner.wait(id, { timeout: 1 + (i % 20) })))
    assert.ok(short.every(({ finished }) => !finished))
    await until('the others to go', async () => (await runner.stats()).waits === 2)
    latch.open()
    for (const status of await Promise.all(long)) assert.equal(valueOf(status), 'done')
    await until('no waits', async () => (await runner.stats()).waits === 0)
  })

  test('a call that ends about when its first wait is over is answered as the one or the other, and is not lost', async (t) => {
    const { runner } = await suite.setUp(t)
    const races = Array.from({ length: suite.many(400) }, async (_, i) => {
      const status = await runner.start('takeTurns', [i % 40, i], { timeout: 1 + (i % 12) })
      if (status.finished) assert.deepEqual(status, { finished: true, ok: true, value: i })
      else assert.equal(valueOf(await end(runner, status.id)), i)
    })
    await Promise.all(races)
    const { calls, total } = await runner.stats()
    assert.equal(total.succeeded, suite.many(400))
    assert.equal(calls.running + calls.queued, 0)
  })

  test('a call that is cancelled while it ends has one end, which all are told', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const finished: CallFinished[] = []
    runner.on('finished', (event) => finished.push(event))
    for (let round = 0; round < 12; round++) {
      const latch = posts.latch()
      const id = await begin(runner, 'hold', [latch.path, round])
      await untilRunning(runner, id)
      const waits = [end(runner, id), end(runner, id), runner.wait(id)]
      latch.open()
      // From no head start for the function to more than it needs.
      await runner.wait(id, { timeout: round / 3 })
      const cancelled = runner.cancel(id, { grace: 0 })
      const [outcome, ...others] = await Promise.all(waits)
      for (const other of others) assert.deepEqual(summary(other), summary(outcome as CallStatus))
      await cancelled
      assert.deepEqual(summary(await runner.cancel(id)), summary(outcome as CallStatus))
      await until('the event', () => finished.length > round)
      assert.deepEqual(
        summary({ finished: true, ...(finished[round] as CallFinished).outcome }),
        summary(outcome as CallStatus),
      )
    }
    assert.equal(finished.length, 12)
    const { total } = await runner.stats()
    assert.equal(total.succeeded + total.failed, 12)
  })

  test('a call that is cancelled about when it begins either never starts or is seen to the end', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const trail = posts.trail()
    const calls = Array.from({ length: 200 }, async (_, i) => {
      const id = await begin(runner, 'leave', [trail.path, String(i)])
      await runner.wait(id, { timeout: (i % 8) / 4 })
      await runner.cancel(id, { grace: 600_000 })
      return end(runner, id)
    })
    const statuses = await Promise.all(calls)
    const ran = statuses.flatMap((status, i) => (status.finished && status.ok ? [String(i)] : []))
    assert.deepEqual(trail.read().toSorted(), ran.toSorted())
    for (const status of statuses) {
      if (status.finished && !status.ok) assert.deepEqual([status.error.code, status.error.step], ['ABORTED', 'queued'])
    }
  })

  test('a call that ended while the caller was too busy to hear of it has ended, though its wait is over', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const [latch, trail] = [posts.latch(), posts.trail()]
    const id = await begin(runner, 'holdThenLeaveBehind', [latch.path, trail.path, 'ended'])
    await untilRunning(runner, id)
    const answer = runner.wait(id, { timeout: 250 })
    assert.equal((await runner.wait(id, { timeout: 50 })).finished, false)
    latch.open()
    // From there the event loop comes to its timers before it comes to what has arrived.
    await nextTurn()
    const busyUntil = performance.now() + 400
    while (trail.read().length === 0 || performance.now() < busyUntil);
    assert.deepEqual(await answer, { finished: true, ok: true, value: undefined, id })
  })

  test('forgetting a call while others wait for its end takes nothing from them', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    // Before the call is begun: elsewhere, events are heard of what is begun afterwards.
    runner.once('finished', (event) => void runner.forget(event.id))
    const id = await begin(runner, 'hold', [latch.path, 'told'])
    const waits = Array.from({ length: 20 }, () => end(runner, id))
    latch.open()
    for (const status of await Promise.all(waits)) assert.equal(valueOf(status), 'told')
    await until('the call to be forgotten', async () => (await runner.list()).calls.length === 0)
    await refused(runner.wait(id), 'CALL_EXPIRED')
  })

  test('calls that are started and waited for from many sides at once all end', async (t) => {
    const { runner } = await suite.setUp(t)
    const sides = Array.from({ length: 20 }, async (_, side) => {
      for (let i = 0; i < suite.many(20); i++) {
        const id = idOf(await runner.start('takeTurns', [i, side * 100 + i], { timeout: 0 }))
        const statuses = await Promise.all([end(runner, id), end(runner, id), runner.wait(id, { timeout: 2 })])
        for (const status of statuses) if (status.finished) assert.equal(valueOf(status), side * 100 + i)
        await runner.forget(id)
      }
    })
    await Promise.all(sides)
    assert.deepEqual(await runner.list(), { calls: [] })
    await until('no waits', async () => (await runner.stats()).waits === 0)
  })
}

/** How a call ended, without what may differ between two answers: where the error object was made. */
function summary(status: CallStatus): unknown {
  if (!status.finished) return status.state
  return status.ok ? status.value : [status.error.code, status.error.step]
}
