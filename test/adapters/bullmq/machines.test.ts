import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../helpers/latch.ts'
import { queueSettings } from '../../helpers/queue-setting.ts'
import { noRedis } from '../../helpers/redis-server.ts'
import { end, errorOf, factsOf, idOf, valueOf } from '../../suites/answers.ts'

const again = { define: { holdAgain: { delivery: { atLeastOnce: 2 } } } } as const

describe('machines of a queue', { skip: noRedis, timeout: 120_000 }, () => {
  const settingOf = queueSettings()

  test('a call whose machine dies has begun once and is lost, or begins again where it may', async (t) => {
    const setting = settingOf(t)
    const { posts } = setting
    const [client, other] = [setting.client(again), setting.client()]
    await Promise.all([setting.machine(), setting.machine(), setting.machine()])
    const [latch, once, twice] = [posts.latch(), posts.trail(), posts.trail()]
    const lost = idOf(await client.start('hold', [once.path, latch.path], { timeout: 0 }))
    const machine = await setting.whereBegun(once)
    const repeated = idOf(await client.start('holdAgain', [twice.path, latch.path], { timeout: 0 }))
    const second = await setting.whereBegun(twice)
    await Promise.all([machine.kill(), second.kill()])

    const error = errorOf(await other.wait(lost, { timeout: Infinity }), 'CALL_LOST')
    assert.deepEqual(factsOf(error), { fn: 'hold', started: 'unknown', retryable: false })
    assert.equal(error.id, lost)
    await setting.whereBegun(twice, 2)
    latch.open()
    assert.equal(valueOf(await other.wait(repeated, { timeout: Infinity })), 'held')
    assert.equal(once.read().length, 1)
    assert.deepEqual(twice.read().length, 3)
  })

  test('a call that may begin twice is lost when its second machine dies too', async (t) => {
    const setting = settingOf(t)
    const { posts } = setting
    const client = setting.client(again)
    await Promise.all([setting.machine(), setting.machine(), setting.machine()])
    const trail = posts.trail()
    const id = idOf(await client.start('holdAgain', [trail.path, posts.latch().path], { timeout: 0 }))
    await (await setting.whereBegun(trail)).kill()
    await (await setting.whereBegun(trail, 2)).kill()
    errorOf(await client.wait(id, { timeout: Infinity }), 'CALL_LOST')
    assert.equal(trail.read().length, 2)
  })

  test('a machine that was stopped past its lock kills its call, and its late result is refused', async (t) => {
    const setting = settingOf(t)
    const { posts } = setting
    const client = setting.client()
    await Promise.all([setting.machine(), setting.machine()])
    const [latch, trail] = [posts.latch(), posts.trail()]
    const id = idOf(await client.start('hold', [trail.path, latch.path], { timeout: 0 }))
    const machine = await setting.whereBegun(trail)
    machine.signal('SIGSTOP')
    errorOf(await client.wait(id, { timeout: Infinity }), 'CALL_LOST')
    machine.signal('SIGCONT')
    await until('its call to be killed', async () => (await machine.running()) === 0)
    latch.open()
    errorOf(await client.wait(id), 'CALL_LOST')
    assert.equal(await client.call('add', [1, 2]), 3)
    assert.equal(trail.read().length, 1)
  })

  test('a machine that cannot reach Redis kills its calls before another one can have them', async (t) => {
    const setting = settingOf(t)
    const { posts, redis } = setting
    const client = setting.client()
    const machine = await setting.machine()
    const trail = posts.trail()
    await client.start('hold', [trail.path, posts.latch().path], { timeout: 0 })
    await setting.whereBegun(trail)
    process.kill(redis.pid, 'SIGSTOP')
    t.after(() => process.kill(redis.pid, 'SIGCONT'))
    await until('its call to be killed', async () => (await machine.running()) === 0)
    process.kill(redis.pid, 'SIGCONT')
    assert.equal(trail.read().length, 1)
  })

  test('a call can be waited for when the client that started it is dead', async (t) => {
    const setting = settingOf(t)
    const { posts, queue, redis } = setting
    await setting.machine()
    const [latch, trail] = [posts.latch(), posts.trail()]
    const starter = setting.process()
    const id = await starter.start({ queue, connection: redis.connection }, 'hold', [trail.path, latch.path])
    await setting.whereBegun(trail)
    await starter.kill()
    const client = setting.client()
    const waiting = client.wait(id, { timeout: Infinity })
    assert.deepEqual(await client.wait(id, { timeout: 5 }), { finished: false, id, state: 'running' })
    latch.open()
    assert.deepEqual(await waiting, { finished: true, ok: true, value: 'held', id })
    assert.equal(valueOf(await setting.client().wait(id)), 'held')
  })

  test('a machine that stops lets its calls end', async (t) => {
    const setting = settingOf(t)
    const { posts, queue } = setting
    const client = setting.client()
    const machine = await setting.machine({ concurrency: 1 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const id = idOf(await client.start('hold', [trail.path, latch.path], { timeout: 0 }))
    await setting.whereBegun(trail)
    const closed = machine.close(queue)
    // Asked after that, so it is closing when this is answered.
    await machine.running()
    const later = idOf(await client.start('add', [1, 2], { timeout: 0 }))
    latch.open()
    assert.equal(valueOf(await end(client, id)), 'held')
    await closed
    assert.deepEqual(await client.wait(later, { timeout: 20 }), { finished: false, id: later, state: 'queued' })
    await setting.machine()
    assert.equal(valueOf(await end(client, later)), 3)
  })

  test('a machine that stops and aborts gives calls back that may begin again, and ends the others', async (t) => {
    const setting = settingOf(t)
    const { posts, queue } = setting
    const client = setting.client(again)
    const machine = await setting.machine({ concurrency: 3 })
    const [latch, once, twice, waiting] = [posts.latch(), posts.trail(), posts.trail(), posts.trail()]
    const ended = idOf(await client.start('hold', [once.path, latch.path], { timeout: 0 }))
    const repeated = idOf(await client.start('holdAgain', [twice.path, latch.path], { timeout: 0 }))
    await setting.whereBegun(once)
    await setting.whereBegun(twice)
    // Its runner has two threads: this call has been taken, and has not begun.
    const unbegun = idOf(await client.start('hold', [waiting.path, latch.path], { timeout: 0 }))
    await machine.close(queue, { abort: true, grace: 0 })
    assert.equal(errorOf(await end(client, ended), 'ABORTED').step, 'killed')
    await setting.machine({ concurrency: 3 })
    await setting.whereBegun(twice, 2)
    latch.open()
    assert.equal(valueOf(await end(client, repeated)), 'held')
    assert.equal(valueOf(await end(client, unbegun)), 'held')
    assert.deepEqual(
      [once, twice, waiting].map((trail) => trail.read().length),
      [1, 3, 2],
    )
  })
})
