import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { jobIdOf } from '../../../src/adapters/bullmq/job-ids.ts'
import { until } from '../../helpers/latch.ts'
import { queueSettings } from '../../helpers/queue-setting.ts'
import { noRedis } from '../../helpers/redis-server.ts'
import { end, errorOf, idOf, refused, valueOf } from '../../suites/answers.ts'

/** Milliseconds: far beyond what outcomes are kept here. */
const LONG_AGO = 1_000_000

describe('outcomes in a queue', { skip: noRedis, timeout: 60_000 }, () => {
  const settingOf = queueSettings()

  test('a list goes on after calls that are over and were not swept away yet', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    const redis = new Redis(setting.redis.connection)
    t.after(() => redis.disconnect())
    await setting.machine()
    const ids: string[] = []
    for (let i = 0; i < 6; i++) {
      const id = idOf(await client.start('add', [i, 1], { timeout: 0, retain: 600_000 }))
      await end(client, id)
      ids.push(id)
    }
    for (const id of ids.slice(1, 3)) await makeOld(redis, setting.queue, id)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await client.list({ limit: 2, ...(cursor !== undefined && { cursor }) })
      seen.push(...page.calls.map((call) => call.id))
      cursor = page.cursor
    } while (cursor !== undefined)
    assert.deepEqual(seen, [ids[0], ...ids.slice(3)])
  })

  test('a key whose call is over, and not swept away yet, begins a new call', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    const redis = new Redis(setting.redis.connection)
    t.after(() => redis.disconnect())
    await setting.machine()
    const options = { timeout: 0, idempotencyKey: 'again' } as const
    const old = idOf(await client.start('add', [1, 2], options))
    await end(client, old)
    await makeOld(redis, setting.queue, old)
    const id = idOf(await client.start('add', [1, 2], options))
    assert.notEqual(id, old)
    assert.equal(valueOf(await end(client, id)), 3)
    await refused(client.wait(old), 'CALL_EXPIRED')
  })

  test('an outcome that cannot be read ends its call', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    const redis = new Redis(setting.redis.connection)
    t.after(() => redis.disconnect())
    const base = `bull:${setting.queue}:`
    const broken = '{"endedAt":1,"value":"a Map","rich":"no such thing"}'

    const id = idOf(await client.start('add', [1, 2], { timeout: 0 }))
    await redis.hset(base + jobIdOf(id), 'finishedOn', Date.now(), 'returnvalue', broken)
    assert.match(errorOf(await client.wait(id), 'PROTOCOL_ERROR').message, /"add" ended with cannot be read/)

    const heard = refused(client.call('add', [3, 4]), 'PROTOCOL_ERROR')
    const jobId = await until('its job', async () => (await redis.zrange(`${base}coatcheck:calls`, 1, 1))[0])
    await redis.xadd(`${base}events`, '*', 'event', 'completed', 'jobId', jobId, 'returnvalue', broken)
    await heard
  })
})

/** Makes a finished call one that ended long ago. */
async function makeOld(redis: Redis, queue: string, id: string): Promise<void> {
  const job = `bull:${queue}:${jobIdOf(id)}`
  const returned = JSON.parse((await redis.hget(job, 'returnvalue')) ?? '') as { endedAt: number }
  returned.endedAt -= LONG_AGO
  await redis.hset(job, 'returnvalue', JSON.stringify(returned))
}
