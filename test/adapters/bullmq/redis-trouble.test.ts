import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import type { QueueRunner } from '../../../src/bullmq.ts'
import type { CallId, CallStatus } from '../../../src/index.ts'
import { until } from '../../helpers/latch.ts'
import { QueueSetting, queueSettings, type Functions } from '../../helpers/queue-setting.ts'
import { noRedis, RedisServer } from '../../helpers/redis-server.ts'
import { end, errorOf, factsOf, idOf, refused, valueOf } from '../../suites/answers.ts'

describe('trouble with Redis', { skip: noRedis, timeout: 120_000 }, () => {
  const settingOf = queueSettings()
  let admin: Redis | undefined
  const adminOf = ({ redis }: QueueSetting): Redis => (admin ??= new Redis(redis.connection))
  after(() => admin?.disconnect())

  test('connections that are killed again and again take no call that may begin again, and no wait', async (t) => {
    const setting = settingOf(t)
    const client = setting.client({ define: { add: { delivery: { atLeastOnce: 100 } } } })
    await setting.machine()
    const [latch, trail] = [setting.posts.latch(), setting.posts.trail()]
    const id = idOf(await client.start('hold', [trail.path, latch.path], { timeout: 0 }))
    await setting.whereBegun(trail)
    const stop = killConnections(adminOf(setting), () => client.wait(id, { timeout: 60 }))
    const sums = Array.from({ length: 10 }, (_, i) => untilStarted(() => client.start('add', [i, 1], { timeout: 0 })))
    for (const [i, sum] of sums.entries()) assert.equal(valueOf(await endOf(client, idOf(await sum))), i + 1)
    await stop()
    latch.open()
    assert.equal(valueOf(await endOf(client, id)), 'held')
    assert.equal(trail.read().filter((line) => line !== 'ended').length, 1)
  })

  // A machine that never hears that it has a call, and one that dies with it, look the same to the queue.
  test('a call that is taken just as a connection is killed is run once, or lost', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    await setting.machine()
    const trail = setting.posts.trail()
    const open = setting.posts.latch()
    open.open()
    await client.call('add', [0, 0])
    const stop = killConnections(adminOf(setting), () => client.call('add', [0, 0]))
    const starts = Array.from({ length: 10 }, () =>
      untilStarted(() => client.start('hold', [trail.path, open.path], { timeout: 0 })),
    )
    let lost = 0
    for (const start of starts) {
      const status = await endOf(client, idOf(await start))
      if (status.finished && status.ok) continue
      assert.deepEqual(factsOf(errorOf(status, 'CALL_LOST')), { fn: 'hold', started: 'unknown', retryable: false })
      lost += 1
    }
    await stop()
    const begun = trail.read().filter((line) => line !== 'ended').length
    assert.ok(begun >= starts.length - lost && begun <= starts.length, `${begun} begun, ${lost} lost`)
  })

  test('a Redis that pauses holds calls up, and loses none', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    await setting.machine({ lockDuration: 5_000 })
    await client.call('add', [0, 0])
    await adminOf(setting).call('CLIENT', 'PAUSE', 400, 'ALL')
    const began = performance.now()
    assert.equal(await client.call('add', [1, 2]), 3)
    assert.ok(performance.now() - began >= 300)
  })

  test('waits are answered though the event stream is trimmed to nothing', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    await setting.machine()
    await client.call('add', [0, 0])
    const redis = adminOf(setting)
    const stream = `bull:${setting.queue}:events`
    const [latch, trail] = [setting.posts.latch(), setting.posts.trail()]
    const waits = Array.from({ length: 10 }, () => client.call('hold', [trail.path, latch.path]))
    // It has as many as it takes: none is on its way to it when its connection is killed.
    await setting.whereBegun(trail, 2)
    // Nobody reads the stream while this connection is killed, and what it would have read is gone after that.
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    latch.open()
    const over = new AbortController()
    const trimming = (async () => {
      while (!over.signal.aborted) await redis.xtrim(stream, 'MAXLEN', 0)
    })()
    assert.deepEqual(new Set(await Promise.all(waits)), new Set(['held']))
    over.abort()
    await trimming
  })
})

describe('a Redis that dies', { skip: noRedis, timeout: 120_000 }, () => {
  let redis: RedisServer
  before(async () => {
    redis = await RedisServer.start()
  })
  after(() => redis.remove())

  test('with its file, IDs resolve after it came back; without, its calls are lost, and no wait hangs', async (t) => {
    const setting = new QueueSetting(t, 'mortal', redis)
    const { posts } = setting
    const client = setting.client()
    await setting.machine({ lockDuration: 30_000 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const ended = idOf(await client.start('add', [1, 2], { timeout: 0 }))
    await end(client, ended)
    const running = idOf(await client.start('hold', [trail.path, latch.path], { timeout: 0 }))
    await setting.whereBegun(trail)
    const waiting = end(client, running)

    await redis.kill()
    await refused(client.start('add', [1, 2]), 'NODE_UNREACHABLE')
    await redis.start()
    latch.open()
    assert.equal(valueOf(await waiting), 'held')
    assert.equal(valueOf(await client.wait(ended)), 3)
    assert.equal(await client.call('add', [3, 4]), 7)

    const never = posts.latch()
    const forgotten = idOf(await client.start('hold', [posts.trail().path, never.path], { timeout: 0 }))
    const inVain = end(client, forgotten)
    await redis.kill()
    redis.loseData()
    await redis.start()
    errorOf(await inVain, 'CALL_LOST')
    await until('the tag of the new data', async () => {
      const error = await refusal(client.wait(ended, { timeout: 0 }))
      return error === 'CALL_LOST'
    })
    assert.equal(await refusal(setting.client().wait(forgotten, { timeout: 0 })), 'CALL_LOST')
    assert.equal(await client.call('add', [5, 6]), 11)
  })
})

describe('a Redis that is gone', { skip: noRedis, timeout: 60_000 }, () => {
  let redis: RedisServer
  before(async () => {
    redis = await RedisServer.start()
  })
  after(() => redis.remove())

  test('clients and machines can be closed all the same', async (t) => {
    const setting = new QueueSetting(t, 'gone', redis)
    const { posts, queue } = setting
    const [first, second, third] = [setting.client(), setting.client(), setting.client()]
    const [idle, busy] = await Promise.all([setting.machine(), setting.machine()])
    const [latch, trail] = [posts.latch(), posts.trail()]
    const ids = await Promise.all(
      [first, second, third].map((client) => client.start('hold', [trail.path, latch.path], { timeout: 0 })),
    )
    await setting.whereBegun(trail, 3)
    await redis.kill()
    await refused(second.start('add', [1, 2]), 'NODE_UNREACHABLE')
    const closing = [first, third].map((client) => client.close())
    const waiting = third.wait(idOf(ids[2] as CallStatus), { timeout: Infinity })
    await Promise.all([first, second, third].map((client) => client.disconnect()))
    await Promise.all(closing)
    assert.equal((await waiting).finished, false)
    await Promise.all([idle.close(queue, { abort: true, grace: 0 }), busy.close(queue, { abort: true, grace: 0 })])
  })
})

test(
  'limits of the caller on the answers of Redis are none on what waits for news',
  { skip: noRedis, timeout: 60_000 },
  async (t) => {
    const redis = await RedisServer.start()
    t.after(() => redis.remove())
    const setting = new QueueSetting(t, 'limited', redis)
    const connection = { ...redis.connection, commandTimeout: 50 }
    const lines: string[] = []
    const logger = pino({ level: 'warn' }, { write: (line) => lines.push(line) })
    await setting.machine({ connection, stalledInterval: 1_000 })
    const client = setting.client({ connection, logger })
    const [latch, trail] = [setting.posts.latch(), setting.posts.trail()]
    const held = client.call('hold', [trail.path, latch.path])
    await sleep(300)
    latch.open()
    assert.equal(await held, 'held')
    assert.deepEqual(lines, [])
  },
)

/** Kills all connections a few times, with something in between. @returns what stops that. */
function killConnections(redis: Redis, between: () => Promise<unknown>): () => Promise<void> {
  const over = new AbortController()
  const killing = (async () => {
    for (let i = 0; i < 12 && !over.signal.aborted; i++) {
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await between().catch(() => undefined)
    }
  })()
  return () => {
    over.abort()
    return killing
  }
}

/** Waits to the end. What does not reach Redis is refused, and asked again. */
function endOf(client: QueueRunner<Functions>, id: CallId): Promise<CallStatus> {
  return untilStarted(() => client.wait(id, { timeout: Infinity }))
}

async function refusal(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'none',
    (error: { code: string }) => error.code,
  )
}

/** Asks again while Redis does not answer. */
async function untilStarted<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      assert.equal((error as { code: string }).code, 'NODE_UNREACHABLE')
    }
  }
}
