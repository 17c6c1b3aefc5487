import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { jobIdOf } from '../../../src/adapters/bullmq/job-ids.ts'
import { until } from '../../helpers/latch.ts'
import { queueSettings } from '../../helpers/queue-setting.ts'
import { watchCommands } from '../../helpers/redis-monitor.ts'
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

  test('a machine that was stopped past its lock kills its call', async (t) => {
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

  test('a result that comes when the call was lost already is refused', async (t) => {
    const setting = settingOf(t)
    const { posts } = setting
    const client = setting.client()
    const proxy = await setting.proxy()
    await setting.machine({ connection: proxy.connection })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const id = idOf(await client.start('hold', [trail.path, latch.path], { timeout: 0 }))
    await setting.whereBegun(trail)
    proxy.cut()
    latch.open()
    await until('its end', () => trail.read().includes('ended'))
    await setting.machine()
    errorOf(await client.wait(id, { timeout: Infinity }), 'CALL_LOST')
    proxy.release()
    // The machine that was cut off takes calls again after it has told of its result.
    const other = posts.trail()
    await setting.machines[1]?.close(setting.queue)
    assert.equal(await client.call('hold', [other.path, latch.path]), 'held')
    errorOf(await setting.client().wait(id), 'CALL_LOST')
    assert.deepEqual(trail.read().slice(1), ['ended'])
  })

  for (const isClosing of [false, true]) {
    test(`a machine that cannot reach Redis${isClosing ? ', and stops,' : ''} kills its calls before another one can have them`, async (t) => {
      const setting = settingOf(t)
      const { posts, queue } = setting
      const client = setting.client()
      const proxy = await setting.proxy()
      const machine = await setting.machine({ connection: proxy.connection, lockDuration: 4_000 })
      const trail = posts.trail()
      const id = idOf(await client.start('hold', [trail.path, posts.latch().path], { timeout: 0 }))
      await setting.whereBegun(trail)
      if (isClosing) void machine.close(queue)
      // Asked after that, so it is closing when this is answered.
      await machine.running()
      proxy.cut()
      await until('its call to be killed', async () => (await machine.running()) === 0)
      const admin = new Redis(setting.redis.connection)
      t.after(() => admin.disconnect())
      const left = await admin.pttl(`bull:${queue}:${jobIdOf(id)}:lock`)
      assert.ok(left > 0, `${left} ms`)
      proxy.release()
    })
  }

  test('a machine whose runner keeps nothing serves as any other', async (t) => {
    const setting = settingOf(t)
    const { posts } = setting
    const client = setting.client()
    await setting.machine({}, { retain: 0, retainLimit: 0 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const id = idOf(await client.start('hold', [trail.path, latch.path], { timeout: 0 }))
    await until('its begin to be told', async () => {
      const status = await client.wait(id, { timeout: 0 })
      return !status.finished && status.state === 'running'
    })
    latch.open()
    assert.equal(valueOf(await end(client, id)), 'held')
    assert.equal(await client.call('add', [1, 2]), 3)
  })

  test('a machine that is given its own call again, which may begin twice, ends the first and holds the second', async (t) => {
    const setting = settingOf(t)
    const { posts, queue } = setting
    const client = setting.client(again)
    await setting.machine({ lockDuration: 30_000, stalledInterval: 100 })
    const trail = posts.trail()
    const id = idOf(await client.start('holdAgain', [trail.path, posts.latch().path], { timeout: 0 }))
    await setting.whereBegun(trail)
    const admin = new Redis(setting.redis.connection)
    t.after(() => admin.disconnect())
    await admin.del(`bull:${queue}:${jobIdOf(id)}:lock`)
    await setting.whereBegun(trail, 2)
    assert.equal(await client.call('add', [1, 2]), 3)
    await client.cancel(id, { grace: 0 })
    assert.equal(errorOf(await end(client, id), 'ABORTED').step, 'killed')
    assert.equal(trail.read().length, 2)
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

  test('a call that was put off because its machine had no room is waited for until it is due, and no longer', async (t) => {
    const setting = settingOf(t)
    const { posts, queue, redis } = setting
    const client = setting.client()
    await setting.machine({ concurrency: 2 }, { threads: { max: 1 }, queueLimit: 0 })
    const [latch, trail, other] = [posts.latch(), posts.trail(), posts.trail()]
    const running = idOf(await client.start('hold', [trail.path, latch.path], { timeout: 0 }))
    await setting.whereBegun(trail)
    const seconds: number[] = []
    await watchCommands(t, redis.port, ([command = '', key, timeout]) => {
      if (/^bzpopmin$/i.test(command) && key === `bull:${queue}:marker`) seconds.push(Number(timeout))
    })
    const id = idOf(await client.start('hold', [other.path, latch.path], { timeout: 0 }))
    // It is put off by a second each time.
    await until('a look within the second', () => seconds.some((each) => each < 1))
    latch.open()
    for (const each of [running, id]) assert.equal(valueOf(await end(client, each)), 'held')
  })
})
