import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { serveQueue } from '../../../src/bullmq.ts'
import { createRunner } from '../../../src/index.ts'
import { queueSettings } from '../../helpers/queue-setting.ts'
import { noRedis } from '../../helpers/redis-server.ts'
import { end, errorOf, idOf, refused, thrownBy, valueOf } from '../../suites/answers.ts'
import { CALLS } from '../../suites/place.ts'

/** Milliseconds by which two machines differ. */
const MINUTE = 60_000

describe('limits of a queue', { skip: noRedis, timeout: 120_000 }, () => {
  const settingOf = queueSettings()

  test('a Redis whose memory is full refuses calls, and takes them again when there is room', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    await setting.machine({ lockDuration: 30_000 })
    assert.equal(await client.call('add', [1, 2]), 3)
    const redis = new Redis(setting.redis.connection)
    t.after(() => redis.disconnect())
    await redis.config('SET', 'maxmemory', '1')
    const error = await refused(client.start('add', [1, 2]), 'QUEUE_FULL')
    assert.match(error.message, /memory/)
    assert.equal(error.retryable, true)
    await redis.config('SET', 'maxmemory', '0')
    assert.equal(await client.call('add', [3, 4]), 7)
  })

  test('a Redis that drops keys is neither served nor used', async (t) => {
    const setting = settingOf(t)
    const redis = new Redis(setting.redis.connection)
    t.after(async () => {
      await redis.config('SET', 'maxmemory-policy', 'noeviction')
      redis.disconnect()
    })
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const runner = createRunner({ functions: CALLS })
    t.after(() => runner.close())
    const why = /must have the eviction policy noeviction.*allkeys-lru/
    await assert.rejects(serveQueue(runner, setting.serveOptions()), why)
    const client = setting.client()
    await assert.rejects(client.start('add', [1, 2]), why)
    await redis.config('SET', 'maxmemory-policy', 'noeviction')
    assert.equal((await client.start('add', [1, 2], { timeout: 0 })).finished, false)
  })

  test('values that are too large are refused, by the side on which they are', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    await setting.machine()
    assert.equal((await client.call('text', [200_000])).length, 200_000)
    const error = errorOf(await client.start('text', [300_000]), 'RESULT_TOO_LARGE')
    assert.match(error.message, /valueLimit \(262144\)/)
    const thrown = await thrownBy(client.start('hold', ['x'.repeat(300_000), '']))
    assert.ok(thrown instanceof RangeError)
    assert.match(thrown.message, /args of "hold" have \d+ bytes .* valueLimit \(262144\)/)
    assert.equal((await client.stats()).total.admitted, 2)
  })

  test('a value of some size does not travel with the events that every client reads', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    await setting.machine()
    assert.equal((await client.call('text', [100_000])).length, 100_000)
    const redis = new Redis(setting.redis.connection)
    t.after(() => redis.disconnect())
    const events = await redis.xrange(`bull:${setting.queue}:events`, '-', '+')
    assert.ok(JSON.stringify(events).length < 10_000)
  })

  for (const [name, ahead] of [
    ['ahead', MINUTE],
    ['behind', -MINUTE],
  ] as const) {
    test(`a machine whose clock is a minute ${name} serves as any other`, async (t) => {
      const setting = settingOf(t)
      const client = setting.client()
      const machine = setting.process()
      await machine.setClock(ahead)
      await machine.serve({ functions: CALLS, threads: { max: 2 } }, setting.serveOptions())
      const before = Date.now()
      const id = idOf(await client.start('add', [1, 2], { timeout: 0, retain: 30_000 }))
      assert.equal(valueOf(await end(client, id)), 3)
      assert.equal(valueOf(await setting.client().wait(id)), 3)
      const [row] = (await client.list()).calls
      assert.ok(row?.state === 'finished' && row.startedAt !== undefined)
      for (const time of [row.admittedAt, row.startedAt, row.finishedAt]) {
        assert.ok(time >= before - 5 && time <= Date.now() + 5, `${time - before} ms from its start`)
      }
    })
  }

  test('waits that look for one call at the same time are refused alike when there is none', async (t) => {
    const setting = settingOf(t)
    const [client, other] = [setting.client(), setting.client()]
    const id = idOf(await client.start('add', [1, 2], { timeout: 0 }))
    const guessed = id.replace(/.{32}$/, '0'.repeat(32))
    await Promise.all(Array.from({ length: 3 }, () => refused(other.wait(guessed), 'CALL_EXPIRED')))
    const waits = Array.from({ length: 3 }, () => other.wait(id, { timeout: Infinity }))
    await setting.machine()
    for (const status of await Promise.all(waits)) assert.equal(valueOf(status), 3)
  })

  test('many waits at once warn of nothing, and leave no listener behind', async (t) => {
    const setting = settingOf(t)
    const [client, other] = [setting.client(), setting.client()]
    await setting.machine()
    const warnings: Error[] = []
    const warn = (warning: Error): unknown => warnings.push(warning)
    process.on('warning', warn)
    t.after(() => process.off('warning', warn))
    const latch = setting.posts.latch()
    const id = idOf(await client.start('hold', [setting.posts.trail().path, latch.path], { timeout: 0 }))
    const { signal } = new AbortController()
    const waits = Array.from({ length: 200 }, (_, i) =>
      (i % 2 ? client : other).wait(id, i % 4 < 2 ? { timeout: 60_000 } : { timeout: Infinity }),
    )
    const short = Array.from({ length: 200 }, (_, i) => other.wait(id, { timeout: 1 + (i % 20) }))
    assert.ok((await Promise.all(short)).every(({ finished }) => !finished))
    // Node warns of more than ten on one signal, and is right: the caller gave it to so many.
    const signalled = Array.from({ length: 5 }, () => other.wait(id, { signal }))
    latch.open()
    for (const status of await Promise.all([...waits, ...signalled])) assert.equal(valueOf(status), 'held')
    assert.deepEqual([client.stats().waits, other.stats().waits], [0, 0])
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    assert.deepEqual(warnings, [])
  })
})
