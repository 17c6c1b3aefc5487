import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import type { AppControllerRoute, BullBoardQueues, BullBoardRequest, IServerAdapter } from '@bull-board/api/typings/app'
import { Queue } from 'bullmq'
import { until } from '../../helpers/latch.ts'
import { queueSettings, type QueueSetting } from '../../helpers/queue-setting.ts'
import { noRedis } from '../../helpers/redis-server.ts'
import { end, idOf } from '../../suites/answers.ts'

describe('a queue as bull-board shows it', { skip: noRedis, timeout: 120_000 }, () => {
  const settingOf = queueSettings()

  test('calls are told by function, arguments, progress, value and failure', async (t) => {
    const setting = settingOf(t)
    const client = setting.client()
    await setting.machine()
    const show = boardOf(t, setting)

    const sum = idOf(await client.start('add', [1, 2], { timeout: 0 }))
    await end(client, sum)
    const shown = await show(sum)
    assert.deepEqual([shown.job.name, shown.job.data.args, shown.status], ['add', [1, 2], 'completed'])
    assert.equal(shown.job.returnValue.value, 3)

    const latch = setting.posts.latch()
    const reporting = idOf(await client.start('report', [latch.path], { timeout: 0 }))
    await until('its progress', async () => {
      const status = await client.wait(reporting, { timeout: 0 })
      return !status.finished && status.progress !== undefined
    })
    const running = await show(reporting)
    assert.deepEqual([running.status, running.job.progress], ['active', { done: 1, of: 2 }])
    latch.open()
    await end(client, reporting)
    assert.equal((await show(reporting)).job.returnValue.value, "Map(1) { 'done' => 2 }")

    const failing = idOf(await client.start('fail', [], { timeout: 0 }))
    await end(client, failing)
    const failed = await show(failing)
    assert.equal(failed.status, 'failed')
    assert.equal(failed.job.failedReason, '"fail" threw RangeError: out of paper')
    assert.match(failed.job.stacktrace[0] ?? '', /at fail .*functions\.ts/)
  })
})

interface Shown {
  status: string
  job: {
    name: string
    data: { args: unknown }
    progress: unknown
    returnValue: { value: unknown }
    failedReason: string
    stacktrace: string[]
  }
}

/** A server of bull-board's that is asked without HTTP. */
class Board implements IServerAdapter {
  queues: BullBoardQueues = new Map()
  routes: AppControllerRoute[] = []
  setQueues(queues: BullBoardQueues): this {
    this.queues = queues
    return this
  }
  setApiRoutes(routes: AppControllerRoute[]): this {
    this.routes = routes
    return this
  }
  setViewsPath = (): this => this
  setStaticPath = (): this => this
  setEntryRoute = (): this => this
  setErrorHandler = (): this => this
  setUIConfig = (): this => this
}

function boardOf(t: TestContext, { queue, redis }: QueueSetting): (callId: string) => Promise<Shown> {
  const jobs = new Queue(queue, { connection: redis.connection })
  t.after(() => jobs.close())
  const board = new Board()
  createBullBoard({ queues: [new BullMQAdapter(jobs)], serverAdapter: board })
  const route = board.routes.find((each) => each.route === '/api/queues/:queueName/:jobId')
  if (!route) throw new Error('bull-board has no such route any more')
  return async (callId) => {
    const params = { queueName: queue, jobId: callId.replaceAll(':', '-') }
    const request: BullBoardRequest = { queues: board.queues, uiConfig: {}, query: {}, body: {}, headers: {}, params }
    const { body } = await route.handler(request)
    return body as Shown
  }
}
