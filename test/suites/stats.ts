import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../helpers/latch.ts'
import { begin, end, thrownBy, untilRunning } from './answers.ts'
import type { Suite } from './place.ts'

export function statsRules(suite: Suite): void {
  test('a runner that has done nothing counts nothing', async (t) => {
    const { runner } = await suite.setUp(t)
    const { calls, total, queueLength, waits, queueTime, runTime } = await runner.stats()
    assert.deepEqual(calls, { queued: 0, running: 0, finished: 0 })
    assert.deepEqual(total, { admitted: 0, succeeded: 0, failed: 0, expired: 0 })
    assert.deepEqual([queueLength, waits], [0, 0])
    assert.deepEqual(queueTime, { count: 0, p50: 0, p99: 0, max: 0 })
    assert.deepEqual(runTime, { count: 0, p50: 0, p99: 0, max: 0 })
  })

  test('calls are counted by their state', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    await end(runner, await begin(runner, 'add', [1, 2]))
    const running = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, running)
    const queued = [await begin(runner, 'add', [1, 2]), await begin(runner, 'add', [1, 2])]
    const before = await runner.stats()
    assert.deepEqual(before.calls, { queued: 2, running: 1, finished: 1 })
    assert.deepEqual(before.total, { admitted: 4, succeeded: 1, failed: 0, expired: 0 })
    assert.equal(before.queueLength, 2)
    latch.open()
    await Promise.all([running, ...queued].map((id) => end(runner, id)))
    const after = await runner.stats()
    assert.deepEqual(after.calls, { queued: 0, running: 0, finished: 4 })
    assert.deepEqual(after.total, { admitted: 4, succeeded: 4, failed: 0, expired: 0 })
    assert.equal(after.queueLength, 0)
  })

  test('calls that failed, were cancelled or were killed count as failed', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    await thrownBy(runner.call('fail', ['builtIn']))
    const killed = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, killed)
    const dropped = await begin(runner, 'add', [1, 2])
    await runner.cancel(dropped)
    await runner.cancel(killed, { grace: 0 })
    await end(runner, killed)
    assert.deepEqual((await runner.stats()).total, { admitted: 3, succeeded: 0, failed: 3, expired: 0 })
  })

  test('waits under way are counted', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path])
    const waits = Array.from({ length: 7 }, () => runner.wait(id, { timeout: 600_000 }))
    await until('the waits', async () => (await runner.stats()).waits === 7)
    latch.open()
    await Promise.all(waits)
    await until('no waits', async () => (await runner.stats()).waits === 0)
  })

  test(
    'queue and run times are those of the calls that ran, in microseconds',
    { skip: !suite.capabilities.callTimes },
    async (t) => {
      const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
      const latch = posts.latch()
      await Promise.all(Array.from({ length: 20 }, () => runner.call('add', [1, 2])))
      const id = await begin(runner, 'hold', [latch.path])
      await untilRunning(runner, id)
      await runner.cancel(await begin(runner, 'add', [1, 2]))
      await runner.wait(id, { timeout: 60 })
      latch.open()
      await end(runner, id)
      const { queueTime, runTime } = await runner.stats()
      assert.equal(queueTime.count, 21)
      assert.equal(runTime.count, 21)
      assert.ok(runTime.max >= 58_000 && runTime.max < 60_000_000, `${runTime.max} µs`)
      for (const { p50, p99, max } of [queueTime, runTime]) assert.ok(p50 > 0 && p50 <= p99 && p99 <= max)
    },
  )
}
