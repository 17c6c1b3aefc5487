import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { until } from '../../helpers/latch.ts'
import { queueSettings } from '../../helpers/queue-setting.ts'
import { noRedis } from '../../helpers/redis-server.ts'
import { end, errorOf, idOf, valueOf } from '../../suites/answers.ts'

describe('cancel over a queue', { skip: noRedis, timeout: 120_000 }, () => {
  const settingOf = queueSettings()

  test('a call that nobody serves is dropped, and begins nowhere afterwards', async (t) => {
    const setting = settingOf(t)
    const [client, other] = [setting.client(), setting.client()]
    const trail = setting.posts.trail()
    const id = idOf(await client.start('hold', [trail.path, setting.posts.latch().path], { timeout: 0 }))
    assert.deepEqual(await client.wait(id, { timeout: 5 }), { finished: false, id, state: 'queued' })
    const waiting = end(client, id)
    const error = errorOf(await other.cancel(id, { reason: 'not needed' }), 'ABORTED')
    assert.deepEqual([error.step, error.started, error.cause], ['queued', 'no', 'not needed'])
    assert.equal(errorOf(await waiting, 'ABORTED').step, 'queued')
    await setting.machine()
    assert.equal(await client.call('add', [1, 2]), 3)
    assert.deepEqual(trail.read(), [])
  })

  test('a call that is put off because its machine had no room is dropped', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    const { posts, queue, redis } = setting
    await setting.machine({ concurrency: 2 }, { threads: { max: 1 }, queueLimit: 0 })
    const [latch, trail, other] = [posts.latch(), posts.trail(), posts.trail()]
    const running = idOf(await client.start('hold', [trail.path, latch.path], { timeout: 0 }))
    await setting.whereBegun(trail)
    const id = idOf(await client.start('hold', [other.path, latch.path], { timeout: 0 }))
    const jobs = new Queue(queue, { connection: redis.connection })
    t.after(() => jobs.close())
    await until('the call to be put off', async () => (await jobs.getDelayedCount()) === 1)
    assert.equal(errorOf(await client.cancel(id), 'ABORTED').step, 'queued')
    latch.open()
    assert.equal(valueOf(await end(client, running)), 'held')
    assert.deepEqual(other.read(), [])
  })

  test('a call that runs is asked to end, one in a busy loop is killed, and one that has ended stays so', async (t) => {
    const setting = settingOf(t)
    const [client, other] = [setting.client(), setting.client()]
    await setting.machine()
    const [asked, busy] = [setting.posts.trail(), setting.posts.trail()]
    const cooperative = idOf(await client.start('untilAborted', [asked.path], { timeout: 0 }))
    const spinning = idOf(await client.start('spin', [busy.path], { timeout: 0 }))
    await setting.whereBegun(asked)
    await setting.whereBegun(busy)
    await other.cancel(cooperative, { grace: 60_000, reason: new RangeError('changed my mind') })
    await other.cancel(spinning, { grace: 10 })
    const error = errorOf(await end(client, cooperative), 'ABORTED')
    assert.equal(error.step, 'cooperative')
    assert.ok(error.cause instanceof RangeError)
    assert.equal(errorOf(await end(client, spinning), 'ABORTED').step, 'killed')
    assert.equal(errorOf(await other.cancel(cooperative), 'ABORTED').step, 'cooperative')
  })

  test('a cancel reaches a machine that was frozen when it was asked for', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    const machine = await setting.machine({ lockDuration: 30_000, stalledInterval: 30_000 })
    const trail = setting.posts.trail()
    const id = idOf(await client.start('hold', [trail.path, setting.posts.latch().path], { timeout: 0 }))
    await setting.whereBegun(trail)
    machine.signal('SIGSTOP')
    const status = await client.cancel(id, { grace: 0 })
    assert.equal(status.finished, false)
    await sleep(100)
    machine.signal('SIGCONT')
    assert.equal(errorOf(await end(client, id), 'ABORTED').step, 'killed')
  })

  test('a call that is cancelled while its machine is dead does not begin again', async (t) => {
    const setting = settingOf(t)
    const client = setting.client({ define: { holdAgain: { delivery: { atLeastOnce: 5 } } } })
    await setting.machine()
    const trail = setting.posts.trail()
    const id = idOf(await client.start('holdAgain', [trail.path, setting.posts.latch().path], { timeout: 0 }))
    await (await setting.whereBegun(trail)).kill()
    await client.cancel(id)
    await setting.machine()
    assert.equal(errorOf(await end(client, id), 'ABORTED').started, 'unknown')
    assert.equal(trail.read().length, 1)
  })
})
