import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { currentCall } from '../../src/function.ts'
import type { CallProgress } from '../../src/index.ts'
import { until } from '../helpers/latch.ts'
import { begin, beginAll, end, untilProgress, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

export function currentCallRules(suite: Suite): void {
  test('a synchronous function knows its call', async (t) => {
    const { runner } = await suite.setUp(t)
    const known = await runner.call('aboutSync', [])
    assert.deepEqual(known, { fn: 'aboutSync', deadline: Infinity, aborted: false, signalAborted: false })
  })

  test('an asynchronous function knows its call, also after an await', async (t) => {
    const { runner } = await suite.setUp(t)
    const { fn, fnAfterAwait } = await runner.call('about', [])
    assert.deepEqual([fn, fnAfterAwait], ['about', 'about'])
  })

  test('deadline is Unix time, abortAfter from when the function began; Infinity without one', async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('about', [], { abortAfter: 60_000, retain: 600_000 })
    const { deadline } = valueOf(status)
    const [row] = (await runner.list()).calls
    assert.ok(row?.state === 'finished' && row.startedAt !== undefined)
    const distance = deadline - row.startedAt
    assert.ok(Math.abs(distance - 60_000) <= 5, `${distance} ms from the beginning`)
    assert.equal((await runner.call('about', [])).deadline, Infinity)
    assert.equal((await runner.call('about', [], { abortAfter: Infinity })).deadline, Infinity)
  })

  test('calls that run side by side know each its own', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 8, inOneThread: true })
    const latch = posts.latch()
    const seen = new Map<string, unknown[]>()
    runner.on('progress', ({ id, progress }: CallProgress) => seen.set(id, [...(seen.get(id) ?? []), progress]))
    const names = Array.from({ length: 8 }, (_, i) => `name ${i}`)
    const ids = await beginAll(
      runner,
      'reportName',
      names.map((name) => [name, latch.path] as const),
    )
    for (const [i, id] of ids.entries()) await untilProgress(runner, id, names[i])
    latch.open()
    for (const id of ids) assert.equal(valueOf(await end(runner, id)), true)
    await until('all reports', () => [...seen.values()].flat().length === 16)
    assert.deepEqual(
      ids.map((id) => seen.get(id)),
      names.map((name) => [name, name]),
    )
  })

  test('outside of a call there is none', () => {
    assert.throws(() => currentCall(), /no call is running here/)
  })

  test('progress is told by the status and by list, the last one each time, until the call ends', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latches = [posts.latch(), posts.latch(), posts.latch()]
    const id = await begin(runner, 'reportEach', [latches.map(({ path }) => path)])
    assert.equal('progress' in (await runner.wait(id, { timeout: 20 })), false)
    for (const i of [0, 1]) {
      latches[i]?.open()
      await untilProgress(runner, id, i)
      const [row] = (await runner.list()).calls
      assert.ok(row?.state === 'running')
      assert.equal(row.progress, i)
    }
    latches[2]?.open()
    assert.deepEqual(await end(runner, id), { finished: true, ok: true, value: undefined, id })
  })

  test('progress is an event, each report in its order, before the end', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    latch.open()
    const seen: unknown[] = []
    runner.on('progress', ({ fn, progress }) => seen.push([fn, progress]))
    runner.on('finished', () => seen.push('finished'))
    const steps = [...Array.from({ length: 100 }, (_, i) => i), new Map([['done', 1n]])]
    await runner.call('report', [steps, latch.path])
    await until('the end', () => seen.includes('finished'))
    assert.deepEqual(seen, [...steps.map((step) => ['report', step]), 'finished'])
  })

  test('progress of undefined, null and 0 is told', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const seen: unknown[] = []
    runner.on('progress', ({ progress }) => seen.push(progress))
    const id = await begin(runner, 'report', [[undefined, null, 0], latch.path])
    await untilProgress(runner, id, 0)
    await until('the events', () => seen.length === 3)
    assert.deepEqual(seen, [undefined, null, 0])
    latch.open()
    await end(runner, id)
  })

  test('progress that cannot travel throws where it is reported, and the call goes on', async (t) => {
    const { runner } = await suite.setUp(t)
    assert.equal(await runner.call('reportUncloneable', []), 'DataCloneError')
  })

  test(
    'what a function logs comes out of the logger, with the ID and the function of the call',
    { skip: !suite.capabilities.functionLogs },
    async (t) => {
      const lines: Record<string, unknown>[] = []
      const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) })
      const { runner, posts } = await suite.setUp(t, { logger })
      const latch = posts.latch()
      const id = await begin(runner, 'log', [latch.path])
      await until('a line', () => lines.length === 1)
      latch.open()
      await end(runner, id)
      await until('all lines', () => lines.length === 3)
      const [plain, full, child] = lines
      for (const line of lines) assert.deepEqual([line['callId'], line['fn']], [id, 'log'])
      assert.deepEqual([plain?.['level'], plain?.['msg']], [30, 'plain'])
      assert.deepEqual([full?.['level'], full?.['msg'], full?.['rows']], [40, 'with properties', 3])
      assert.deepEqual([child?.['level'], child?.['msg'], child?.['part']], [50, 'of a child', 'child'])
      assert.match(JSON.stringify(child), /"message":"of a child"/)
    },
  )

  test('lines below the level of the logger stay away', { skip: !suite.capabilities.functionLogs }, async (t) => {
    const lines: { level: number }[] = []
    const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line)) })
    const { runner, posts } = await suite.setUp(t, { logger })
    const latch = posts.latch()
    latch.open()
    await runner.call('log', [latch.path])
    await until('the lines', () => lines.length >= 2)
    await runner.close()
    assert.deepEqual(
      lines.map(({ level }) => level),
      [40, 50],
    )
  })
}
