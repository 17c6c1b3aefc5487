import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { Queue } from 'bullmq'
import { jobPriority, PRIORITIES } from '../../../src/adapters/bullmq/job-priorities.ts'
import { jobIdOf } from '../../../src/adapters/bullmq/job-ids.ts'
import { ServedStore } from '../../../src/adapters/bullmq/served-store.ts'
import { serveQueue } from '../../../src/bullmq.ts'
import { createRunner } from '../../../src/index.ts'
import { until } from '../../helpers/latch.ts'
import { queueSettings } from '../../helpers/queue-setting.ts'
import { noRedis } from '../../helpers/redis-server.ts'
import { end, idOf } from '../../suites/answers.ts'
import { CALLS } from '../../suites/place.ts'

/** Milliseconds: far beyond what clocks may differ by. */
const DAY = 86_400_000

describe('what machines sweep away', { skip: noRedis, timeout: 60_000 }, () => {
  const settingOf = queueSettings()

  test('calls are dropped that nobody can ask for any more, and no others', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    await setting.machine()
    const redis = new Redis(setting.redis.connection)
    t.after(() => redis.disconnect())
    const base = `bull:${setting.queue}:`
    const [old, young, endless] = await Promise.all(
      [60_000, 2 * DAY, Infinity].map(async (retain) => {
        const id = idOf(await client.start('add', [1, 2], { timeout: 0, retain, idempotencyKey: `kept ${retain}` }))
        await end(client, id)
        return jobIdOf(id)
      }),
    )
    const left = (): Promise<number[]> =>
      Promise.all([old, young, endless].map((jobId) => redis.exists(`${base}${jobId}`)))
    const store = new ServedStore(redis, base)
    assert.deepEqual(await store.sweep(0, 100, Date.now()), { count: 0, isLast: true })
    assert.deepEqual(await left(), [1, 1, 1])
    for (const jobId of [old, young, endless]) await redis.hset(`${base}${jobId}`, 'finishedOn', Date.now() - DAY)
    assert.deepEqual(await store.sweep(0, 2, Date.now()), { count: 1, isLast: false })
    assert.deepEqual(await left(), [0, 1, 1])
    assert.equal(await redis.zcard(`${base}coatcheck:calls`), 2)
    assert.equal((await redis.keys(`${base}coatcheck:key:*`)).length, 2)
  })

  test('machines that give no sign of life any more are taken off by those that do', async (t) => {
    const { queue, redis: server } = settingOf(t)
    const redis = new Redis(server.connection)
    t.after(() => redis.disconnect())
    const store = new ServedStore(redis, `bull:${queue}:`)
    await store.serve('gone', 1, -1)
    await store.serve('there', 1, 60_000)
    assert.deepEqual(await redis.hkeys(`bull:${queue}:coatcheck:servers`), ['there'])
  })

  test('what a machine says of a call that is not its own leaves nothing behind', async (t) => {
    const { queue, redis: server } = settingOf(t)
    const redis = new Redis(server.connection)
    t.after(() => redis.disconnect())
    const store = new ServedStore(redis, `bull:${queue}:`)
    await store.countReturn('gone', 'token')
    await store.progress('gone', 'token', '1')
    await store.begun('gone', 'token', 1)
    await store.setFailure('gone', 'token', '{}')
    assert.deepEqual(await redis.keys(`bull:${queue}:*`), [])
  })

  test('a machine whose runner was closed serves no more', async (t) => {
    const setting = settingOf(t)
    const { queue, redis: server } = setting
    const redis = new Redis(server.connection)
    t.after(() => redis.disconnect())
    const runner = createRunner({ functions: CALLS })
    const machine = await serveQueue(runner, setting.serveOptions())
    t.after(() => machine.close())
    assert.equal(await redis.hlen(`bull:${queue}:coatcheck:servers`), 1)
    await runner.close()
    const id = idOf(await setting.client().start('add', [1, 2], { timeout: 0 }))
    await until('it to leave', async () => (await redis.hlen(`bull:${queue}:coatcheck:servers`)) === 0)
    assert.equal((await setting.client().wait(id, { timeout: 5 })).finished, false)
  })

  test('when priorities begin anew, calls from before go first, in their order', async (t) => {
    const setting = settingOf(t)
    const { queue, redis: server } = setting
    const redis = new Redis(server.connection)
    const jobs = new Queue(queue, { connection: server.connection })
    t.after(async () => {
      await jobs.close()
      redis.disconnect()
    })
    const turn = PRIORITIES * 1_000 * 900
    const times = [turn - 2_000, turn - 1_000, turn + 1_000, turn + 2_000]
    for (const [i, time] of times.entries()) await jobs.add(String(i), {}, { priority: jobPriority(0, time) })
    await new ServedStore(redis, `bull:${queue}:`).sweep(0, 100, turn + 5_000)
    const ids = await redis.zrange(`bull:${queue}:prioritized`, 0, -1)
    const names = await Promise.all(ids.map((id) => redis.hget(`bull:${queue}:${id}`, 'name')))
    assert.deepEqual(names, ['0', '1', '2', '3'])
  })
})

test('a call goes before those that are as many seconds younger as they have more priority', () => {
  const now = 1_800_500_000_000
  assert.ok(jobPriority(0, now) < jobPriority(0, now + 1_000))
  assert.equal(jobPriority(0, now), jobPriority(1, now + 1_000))
  assert.ok(jobPriority(100, now) < jobPriority(-100, now))
  for (const time of [now, now * 2]) {
    const priority = jobPriority(-100, time)
    assert.ok(priority >= 1 && priority <= 2 ** 21)
  }
})
