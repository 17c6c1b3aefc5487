import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../helpers/latch.ts'
import {
  begin,
  beginAll,
  end,
  errorOf,
  factsOf,
  isPending,
  onlyCall,
  refused,
  untilProgress,
  untilRunning,
  valueOf,
} from './answers.ts'
import type { Suite } from './place.ts'

export function closeRules(suite: Suite): void {
  const { killsBusyLoops, answersAfterClose } = suite.capabilities

  test('close lets the calls end, those that wait in the queue too', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 2 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const answers = Array.from({ length: 10 }, (_, i) =>
      runner.call('holdThenLeave', [latch.path, trail.path, String(i)]),
    )
    const id = await begin(runner, 'hold', [latch.path, 'to the end'])
    const wait = end(runner, id)
    const closed = runner.close()
    assert.equal((await runner.wait(id, { timeout: 50 })).finished, false)
    assert.ok(await isPending(closed))
    latch.open()
    await Promise.all(answers)
    assert.equal(valueOf(await wait), 'to the end')
    await closed
    assert.equal(trail.read().length, 10)
  })

  test('admission stops first', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'to the end'])
    const closed = runner.close()
    const error = await refused(runner.start('add', [1, 2]), 'RUNNER_CLOSED')
    assert.deepEqual(factsOf(error), { fn: 'add', started: 'no', retryable: false })
    await refused(runner.start('add', [1, 2], { timeout: 0 }), 'RUNNER_CLOSED')
    await refused(runner.call('add', [1, 2]), 'RUNNER_CLOSED')
    await refused(runner.ready(), 'RUNNER_CLOSED')
    assert.equal((await runner.stats()).total.admitted, 1)
    latch.open()
    assert.equal(valueOf(await end(runner, id)), 'to the end')
    await closed
    await refused(runner.start('add', [1, 2]), 'RUNNER_CLOSED')
    await refused(runner.call('add', [1, 2]), 'RUNNER_CLOSED')
  })

  test('while a runner closes, its calls can be waited for, listed and cancelled', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    const running = await begin(runner, 'hold', [latch.path, 'value'])
    const queued = await begin(runner, 'hold', [latch.path, 'dropped'])
    await untilRunning(runner, running)
    const closed = runner.close()
    assert.equal((await runner.list()).calls.length, 2)
    assert.equal(errorOf(await runner.cancel(queued), 'ABORTED').step, 'queued')
    assert.equal((await runner.wait(running, { timeout: 5 })).finished, false)
    latch.open()
    assert.equal(valueOf(await end(runner, running)), 'value')
    await closed
  })

  test('close with abort ends all calls, each by its step, and answers the waits on them', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 2 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const cooperative = await begin(runner, 'throwWhenAborted', [])
    const unaware = await begin(runner, 'holdThenLeave', [latch.path, trail.path, 'ran on'])
    for (const id of [cooperative, unaware]) await untilRunning(runner, id)
    const queued = await begin(runner, 'leave', [trail.path, 'ran'])
    const called = runner.call('leave', [trail.path, 'ran'])
    const waits = [cooperative, unaware, queued].map((id) => end(runner, id))
    const dropped = refused(called, 'ABORTED')
    await runner.close({ abort: true, grace: 50 })
    const errors = (await Promise.all(waits)).map((status) => errorOf(status, 'ABORTED'))
    assert.deepEqual(
      errors.map(({ step }) => step),
      ['cooperative', 'killed', 'queued'],
    )
    assert.deepEqual(
      errors.map(({ started }) => started),
      ['yes', 'yes', 'no'],
    )
    for (const { message } of errors) assert.match(message, /closing/)
    assert.equal((await dropped).step, 'queued')
    latch.open()
    assert.deepEqual(trail.read(), [])
  })

  test('close with abort ends several busy loops', { skip: !killsBusyLoops }, async (t) => {
    const { runner } = await suite.setUp(t, { atOnce: 3 })
    const ids = await beginAll(runner, 'spin', [[], [], []])
    for (const id of ids) await untilRunning(runner, id)
    const waits = ids.map((id) => end(runner, id))
    await runner.close({ abort: true, grace: 20 })
    for (const status of await Promise.all(waits)) assert.equal(errorOf(status, 'ABORTED').step, 'killed')
  })

  test('a call that returns in its grace time has returned, also when its runner closes', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'returnWhenAborted', ['saved'])
    await untilRunning(runner, id)
    const wait = end(runner, id)
    await runner.close({ abort: true, grace: 600_000 })
    assert.equal(valueOf(await wait), 'saved')
  })

  test('the grace time of close is that of each call when it is left out', async (t) => {
    const { runner, posts } = await suite.setUp(t, { grace: Infinity, atOnce: 3 })
    const latch = posts.latch()
    const short = await begin(runner, 'hold', [latch.path], { grace: 20 })
    const long = await begin(runner, 'cleanUpWhenAborted', [latch.path])
    for (const id of [short, long]) await untilRunning(runner, id)
    const [killed, cleaned] = [end(runner, short), end(runner, long)]
    const closed = runner.close({ abort: true })
    assert.equal(errorOf(await killed, 'ABORTED').step, 'killed')
    await untilProgress(runner, long, 'cleaning up')
    assert.ok(await isPending(closed))
    latch.open()
    assert.equal(valueOf(await cleaned), 'cleaned up')
    await closed
  })

  test('all waits under way are answered', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path])
    const waits = Array.from({ length: 200 }, (_, i) => runner.wait(id, { timeout: i % 2 ? Infinity : 600_000 }))
    const started = runner.start('hold', [latch.path], { timeout: Infinity })
    await runner.close({ abort: true, grace: 0 })
    for (const status of await Promise.all([...waits, started])) errorOf(status, 'ABORTED')
    if (answersAfterClose) assert.equal((await runner.stats()).waits, 0)
  })

  test('close can be called again, at any time', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const called = runner.call('hold', [latch.path, 'value'])
    await onlyCall(runner)
    const closing = [runner.close(), runner.close(), runner.close({ abort: false })]
    for (const closed of closing) assert.ok(await isPending(closed))
    latch.open()
    assert.equal(await called, 'value')
    await Promise.all(closing)
    await runner.close()
    await runner.close({ abort: true })
  })

  test('a close that waits for calls can be followed by one that aborts them', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const running = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, running)
    const queued = await begin(runner, 'leave', [trail.path, 'ran'])
    const waits = [end(runner, running), end(runner, queued)] as const
    const gentle = runner.close()
    assert.equal((await runner.wait(running, { timeout: 30 })).finished, false)
    const hard = runner.close({ abort: true, grace: 0 })
    await Promise.all([gentle, hard])
    assert.equal(errorOf(await waits[0], 'ABORTED').step, 'killed')
    assert.equal(errorOf(await waits[1], 'ABORTED').step, 'queued')
    assert.deepEqual(trail.read(), [])
  })

  test('a close that aborts can be followed by one with less grace', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'cleanUpWhenAborted', [latch.path])
    await untilRunning(runner, id)
    const wait = end(runner, id)
    const closed = runner.close({ abort: true, grace: 600_000 })
    await untilProgress(runner, id, 'cleaning up')
    await runner.close({ abort: true, grace: 0 })
    await closed
    assert.equal(errorOf(await wait, 'ABORTED').step, 'killed')
  })

  test('a runner that was never used closes', async (t) => {
    const { runner } = await suite.setUp(t)
    await runner.close()
  })

  test('a runner whose calls have not come to run closes after them', async (t) => {
    const { runner } = await suite.setUp(t)
    const values = [1, 2, 3].map((i) => runner.call('add', [i, 1]))
    await until('the calls', async () => (await runner.stats()).total.admitted === 3)
    await runner.close()
    assert.deepEqual(await Promise.all(values), [2, 3, 4])
  })

  test('a runner can be disposed of, which closes it', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const called = runner.call('hold', [latch.path, 'value'])
    await onlyCall(runner)
    const disposed = runner[Symbol.asyncDispose]()
    await refused(runner.start('add', [1, 2]), 'RUNNER_CLOSED')
    assert.ok(await isPending(Promise.resolve(disposed)))
    latch.open()
    assert.equal(await called, 'value')
    await disposed
  })

  test('what is kept can be asked for after the end', { skip: !answersAfterClose }, async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'add', [1, 2])
    await runner.close()
    assert.deepEqual(await runner.wait(id), { finished: true, ok: true, value: 3, id })
    assert.deepEqual(await runner.cancel(id), { finished: true, ok: true, value: 3, id })
    assert.equal((await runner.list()).calls.length, 1)
    assert.equal((await runner.stats()).total.succeeded, 1)
    await runner.forget(id)
    await refused(runner.wait(id), 'CALL_EXPIRED')
  })

  test('a call that is cancelled while its runner closes is cancelled once', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const controller = new AbortController()
    const id = await begin(runner, 'hold', [latch.path], { signal: controller.signal, grace: 600_000 })
    await untilRunning(runner, id)
    const wait = end(runner, id)
    await runner.cancel(id, { reason: 'first' })
    const closed = runner.close({ abort: true, grace: 20 })
    controller.abort('too late')
    assert.equal(errorOf(await wait, 'ABORTED').cause, 'first')
    await closed
  })
}
