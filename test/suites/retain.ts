import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallId, Runner } from '../../src/index.ts'
import { until } from '../helpers/latch.ts'
import { begin, end, refused, untilRunning, valueOf } from './answers.ts'
import type { Calls, Suite } from './place.ts'

/** Milliseconds by which clocks that are read at different places may differ. */
const EARLY = 2

export function retainRules(suite: Suite): void {
  /** Milliseconds of a `retain` that the news of an end come well within. */
  const soon = suite.capabilities.quickCalls ? 150 : 1_000

  test('a call given retain is kept though it ended inside its first wait', async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('add', [1, 2], { retain: 600_000 })
    assert.ok(status.finished && status.id !== undefined)
    assert.deepEqual(status, { finished: true, ok: true, value: 3, id: status.id })
    assert.deepEqual(await runner.wait(status.id), status)
  })

  test('a failed call given retain is kept as well', async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('fail', ['builtIn'], { retain: Infinity })
    assert.ok(status.finished && status.id !== undefined)
    const again = await runner.wait(status.id)
    assert.ok(again.finished && !again.ok)
    assert.equal(again.error.code, 'FUNCTION_THREW')
    assert.equal(again.id, status.id)
  })

  test('a call is kept for retain from its end on, and has expired then', async (t) => {
    const { runner } = await suite.setUp(t)
    const began = performance.now()
    const status = await runner.start('add', [1, 2], { retain: soon })
    assert.ok(status.finished && status.id !== undefined)
    const error = await untilExpired(runner, status.id)
    assert.ok(performance.now() - began >= soon - EARLY)
    assert.equal(error.retryable, false)
    await refused(runner.cancel(status.id), 'CALL_EXPIRED')
    await refused(runner.forget(status.id), 'CALL_EXPIRED')
    assert.deepEqual(await runner.list(), { calls: [] })
  })

  test('retain does not begin before the end of the call', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'still here'], { retain: soon })
    await untilRunning(runner, id)
    assert.equal((await runner.wait(id, { timeout: soon + 30 })).finished, false)
    // It waits from before the end: on a busy machine a moment is over soon.
    const ended = end(runner, id)
    const opened = performance.now()
    latch.open()
    assert.equal(valueOf(await ended), 'still here')
    await untilExpired(runner, id)
    assert.ok(performance.now() - opened >= soon - EARLY)
  })

  test('with retain 0 the waits under way are answered, without an ID, and nothing is kept', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'gone'], { retain: 0 })
    const waits = [end(runner, id), end(runner, id)]
    // A client may ask once for both.
    await until('the waits', async () => (await suite.waitsHeld(runner)) > 0)
    latch.open()
    for (const status of await Promise.all(waits)) assert.deepEqual(status, { finished: true, ok: true, value: 'gone' })
    await refused(runner.wait(id), 'CALL_EXPIRED')
    assert.deepEqual(await runner.start('add', [1, 2], { retain: 0 }), { finished: true, ok: true, value: 3 })
    assert.deepEqual(await runner.list(), { calls: [] })
  })

  test('retain above the longest timer of Node is no shorter for that, and Infinity has no end', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const ids = await Promise.all(
      [2 ** 31, 2 ** 40, Number.MAX_VALUE, Infinity].map((retain) => begin(runner, 'add', [1, 2], { retain })),
    )
    await Promise.all(ids.map((id) => end(runner, id)))
    // A timer that overflowed would have gone off long before this.
    await runner.start('hold', [latch.path], { timeout: 100 })
    for (const id of ids) assert.equal(valueOf(await runner.wait(id, { timeout: 0 })), 3)
    latch.open()
  })

  test("the runner's retain is for calls that outlived a wait", async (t) => {
    const { runner } = await suite.setUp(t, { retain: 30 })
    const id = await begin(runner, 'add', [1, 2])
    await untilExpired(runner, id)
    assert.deepEqual(await runner.start('add', [1, 2]), { finished: true, ok: true, value: 3 })
  })

  test("a function's retain goes before the runner's, and that of start before both", async (t) => {
    const { runner } = await suite.setUp(t, { retain: Infinity, define: { add: { retain: 30 } } })
    const [short, long, others] = await Promise.all([
      begin(runner, 'add', [1, 2]),
      begin(runner, 'add', [1, 2], { retain: 600_000 }),
      begin(runner, 'addLater', [1, 2]),
    ])
    await untilExpired(runner, short)
    assert.equal(valueOf(await end(runner, long)), 3)
    assert.equal(valueOf(await end(runner, others)), 3)
  })

  test('of more than retainLimit finished calls the first to end go', async (t) => {
    const { runner } = await suite.setUp(t, { retainLimit: 2 })
    const ids: CallId[] = []
    for (let i = 0; i < 4; i++) {
      const id = await begin(runner, 'add', [i, 0])
      await end(runner, id)
      ids.push(id)
    }
    const [first, second, third, fourth] = ids as [CallId, CallId, CallId, CallId]
    await refused(runner.wait(first), 'CALL_EXPIRED')
    await refused(runner.wait(second), 'CALL_EXPIRED')
    assert.equal(valueOf(await runner.wait(third)), 2)
    assert.equal(valueOf(await runner.wait(fourth)), 3)
    assert.equal((await runner.stats()).calls.finished, 2)
  })

  test('retainLimit does not count calls that have not ended, and takes none of them', async (t) => {
    const { runner, posts } = await suite.setUp(t, { retainLimit: 1, atOnce: 1 })
    const latch = posts.latch()
    const ids = await Promise.all([1, 2, 3].map((i) => begin(runner, 'hold', [latch.path, i])))
    const waits = ids.map((id) => end(runner, id))
    for (const id of ids) assert.equal((await runner.wait(id, { timeout: 1 })).finished, false)
    latch.open()
    assert.deepEqual((await Promise.all(waits)).map(valueOf), [1, 2, 3])
  })

  test('with retainLimit 0 nothing is kept', async (t) => {
    const { runner } = await suite.setUp(t, { retainLimit: 0 })
    const status = await runner.start('add', [1, 2], { retain: 600_000 })
    assert.deepEqual(status, { finished: true, ok: true, value: 3 })
    assert.deepEqual(await runner.list(), { calls: [] })
  })

  test('a forgotten call cannot be asked for any more', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'add', [1, 2])
    await end(runner, id)
    assert.equal(await runner.forget(id), undefined)
    await refused(runner.wait(id), 'CALL_EXPIRED')
    await refused(runner.cancel(id), 'CALL_EXPIRED')
    await refused(runner.forget(id), 'CALL_EXPIRED')
    assert.deepEqual(await runner.list(), { calls: [] })
    assert.equal((await runner.stats()).calls.finished, 0)
  })

  test('a call that has not ended cannot be forgotten, and goes on', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    const running = await begin(runner, 'hold', [latch.path, 'running'])
    const queued = await begin(runner, 'hold', [latch.path, 'queued'])
    await untilRunning(runner, running)
    const error = await refused(runner.forget(running), 'CALL_RUNNING')
    assert.equal(error.fn, 'hold')
    assert.equal(error.id, running)
    assert.equal(error.retryable, true)
    await refused(runner.forget(queued), 'CALL_RUNNING')
    latch.open()
    assert.equal(valueOf(await end(runner, running)), 'running')
    assert.equal(valueOf(await end(runner, queued)), 'queued')
  })

  test('a call that nobody was given the ID of is not kept for being waited for', async (t) => {
    const { runner } = await suite.setUp(t)
    await Promise.all(Array.from({ length: suite.many(200) }, () => runner.start('add', [1, 2], { timeout: Infinity })))
    await Promise.all(Array.from({ length: suite.many(200) }, () => runner.call('add', [1, 2])))
    assert.equal((await runner.stats()).calls.finished, 0)
  })
}

async function untilExpired(runner: Runner<Calls>, id: CallId): Promise<Error & { retryable: boolean }> {
  return until('a call that expired', async () => {
    const [answer] = await Promise.allSettled([runner.wait(id, { timeout: 0 })])
    return answer.status === 'rejected' ? refused(Promise.reject(answer.reason), 'CALL_EXPIRED') : undefined
  })
}
