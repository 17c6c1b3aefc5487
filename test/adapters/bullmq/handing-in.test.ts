import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { callIdOf } from '../../../src/adapters/bullmq/job-ids.ts'
import type { CallId } from '../../../src/index.ts'
import { queueSettings } from '../../helpers/queue-setting.ts'
import { noRedis } from '../../helpers/redis-server.ts'
import { end, errorOf, factsOf, idOf, refused, valueOf } from '../../suites/answers.ts'

describe('handing calls in to a queue', { skip: noRedis, timeout: 120_000 }, () => {
  const settingOf = queueSettings()

  test('a call whose admission nobody heard of is found by its key, and runs once', async (t) => {
    const setting = settingOf(t)
    const { posts } = setting
    const proxy = await setting.proxy()
    const client = setting.client({ connection: proxy.connection })
    await setting.machine()
    await client.call('add', [0, 0])
    const [latch, trail] = [posts.latch(), posts.trail()]
    const options = { idempotencyKey: 'once', timeout: 0 } as const
    proxy.holdAt(trail.path)
    const error = await refused(client.start('hold', [trail.path, latch.path], options), 'NODE_UNREACHABLE')
    assert.deepEqual(factsOf(error), { fn: 'hold', started: 'unknown', retryable: true })
    proxy.release()
    const id = idOf(await client.start('hold', [trail.path, latch.path], options))
    latch.open()
    assert.equal(valueOf(await end(client, id)), 'held')
    assert.equal(error.id, id)
    assert.deepEqual(trail.read().length, 2)
  })

  test('arguments that change after start are those of before', async (t) => {
    const setting = settingOf(t)
    await setting.machine()
    const client = setting.client()
    for (const more of [{}, { idempotencyKey: 'keyed' }]) {
      const args: [number, number] = [1, 2]
      const sum = client.start('add', args, more)
      args[0] = 100
      assert.equal(valueOf(await sum), 3)
    }
    assert.equal(valueOf(await client.start('add', [1, 2], { idempotencyKey: 'keyed' })), 3)
  })

  test('of two starts of one call only the first can abort it by its signal', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    const [first, second] = [new AbortController(), new AbortController()]
    const statuses = await Promise.all(
      [first, second].map(({ signal }) =>
        client.start('add', [1, 2], { idempotencyKey: 'shared', timeout: 0, signal }),
      ),
    )
    const [id, same] = statuses.map(idOf) as [CallId, CallId]
    assert.equal(id, same)
    assert.deepEqual(
      [first, second].map(({ signal }) => getEventListeners(signal, 'abort').length),
      [1, 0],
    )
    first.abort('not needed')
    assert.equal(errorOf(await end(client, id), 'ABORTED').cause, 'not needed')
  })

  test('a key lives as long as its call, and is none of a call that was refused', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    const redis = new Redis(setting.redis.connection)
    t.after(() => redis.disconnect())
    await client.start('add', [1, 2], { idempotencyKey: 'there', timeout: 0 })
    const [key = ''] = await redis.keys(`bull:${setting.queue}:coatcheck:key:*`)
    assert.equal(await redis.pttl(key), -1)
    await redis.config('SET', 'maxmemory', '1')
    await refused(client.start('add', [1, 2], { idempotencyKey: 'none' }), 'QUEUE_FULL')
    await redis.config('SET', 'maxmemory', '0')
    assert.deepEqual(await redis.keys(`bull:${setting.queue}:coatcheck:key:*`), [key])
    const id = (await redis.hget(key, 'id')) ?? ''
    assert.notEqual(await redis.exists(`bull:${setting.queue}:${id}`), 0)
    await client.cancel(idOf(await client.start('add', [1, 2], { idempotencyKey: 'there', timeout: 0 })))
    await client.forget(callIdOf(id))
    assert.deepEqual(await redis.keys(`bull:${setting.queue}:coatcheck:key:*`), [])
  })

  test('a call that a full Redis refuses never was: nothing of it is in the queue', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    const redis = new Redis(setting.redis.connection)
    t.after(() => redis.disconnect())
    await setting.machine({ lockDuration: 30_000 })
    // Its outcome is dropped on the way of the next call, which is a write that a full Redis takes.
    await client.call('add', [1, 2])
    await redis.config('SET', 'maxmemory', '1')
    const error = await refused(client.start('add', [1, 2], { timeout: 0 }), 'QUEUE_FULL')
    assert.deepEqual([error.started, error.retryable], ['no', true])
    await redis.config('SET', 'maxmemory', '0')
    await client.call('add', [3, 4])
    assert.deepEqual((await client.list()).calls, [])
    assert.equal(client.stats().total.admitted, 2)
  })

  test('how a call ended is written also when the memory of Redis is full', async (t) => {
    const setting = settingOf(t)
    const { posts } = setting
    const client = setting.client()
    const redis = new Redis(setting.redis.connection)
    t.after(async () => {
      await redis.config('SET', 'maxmemory', '0')
      redis.disconnect()
    })
    await setting.machine({ lockDuration: 30_000 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const failing = idOf(await client.start('failLate', [trail.path, latch.path], { timeout: 0 }))
    const large = idOf(await client.start('textLate', [trail.path, latch.path, 10_000], { timeout: 0 }))
    await setting.whereBegun(trail, 2)
    await redis.config('SET', 'maxmemory', '1')
    latch.open()
    const status = await end(client, failing)
    assert.ok(status.finished && !status.ok)
    assert.equal(status.error.code, 'FUNCTION_THREW')
    assert.equal(String(valueOf(await end(client, large))).length, 10_000)
  })
})
