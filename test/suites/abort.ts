import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { begin, beginAll, end, errorOf, factsOf, isPending, untilProgress, untilRunning, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

export function abortRules(suite: Suite): void {
  const { killsBusyLoops } = suite.capabilities

  test('a call that is cancelled in the queue is dropped, and never starts', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const ahead = await begin(runner, 'hold', [latch.path])
    const id = await begin(runner, 'leave', [trail.path, 'ran'])
    const waiting = end(runner, id)
    const status = await runner.cancel(id, { reason: 'not needed' })
    const error = errorOf(status, 'ABORTED')
    assert.deepEqual(factsOf(error), { fn: 'leave', started: 'no', retryable: false, step: 'queued' })
    assert.equal(error.cause, 'not needed')
    assert.equal(error.id, id)
    assert.equal(status.id, id)
    assert.equal(errorOf(await waiting, 'ABORTED').step, 'queued')
    assert.equal(errorOf(await runner.wait(id), 'ABORTED').step, 'queued')
    latch.open()
    await end(runner, ahead)
    await runner.call('add', [1, 2])
    assert.deepEqual(trail.read(), [])
  })

  test('cancelling one of many queued calls drops that one only', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    await begin(runner, 'hold', [latch.path])
    const ids = await beginAll(
      runner,
      'leave',
      [...'abcdef'].map((line) => [trail.path, line] as const),
    )
    const [a, , c, , , f] = ids
    for (const id of [a, c, f]) await runner.cancel(id as string)
    latch.open()
    await Promise.all(ids.map((id) => end(runner, id)))
    assert.deepEqual(trail.read(), ['b', 'd', 'e'])
  })

  test('a call that has begun sees its signal abort, and why', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'reasonWhenAborted', [])
    await untilRunning(runner, id)
    const status = await runner.cancel(id, { reason: 'no longer needed', grace: 600_000 })
    assert.ok(!status.finished && status.state === 'running')
    const seen = { name: 'AbortError', message: 'no longer needed', aborted: true }
    assert.deepEqual(valueOf(await end(runner, id)), seen)
  })

  test('a reason that is an error is seen by its message', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'reasonWhenAborted', [])
    await untilRunning(runner, id)
    await runner.cancel(id, { reason: new RangeError('out of budget'), grace: 600_000 })
    const seen = { name: 'AbortError', message: 'out of budget', aborted: true }
    assert.deepEqual(valueOf(await end(runner, id)), seen)
  })

  test('a reason can be any value, also one that cannot travel', async (t) => {
    const { runner } = await suite.setUp(t)
    for (const reason of [null, 0, { code: 5 }, Symbol('a symbol'), () => 'a function', new Proxy({}, {})]) {
      const id = await begin(runner, 'throwWhenAborted', [])
      await untilRunning(runner, id)
      await runner.cancel(id, { reason, grace: 600_000 })
      assert.equal(errorOf(await end(runner, id), 'ABORTED').step, 'cooperative')
    }
  })

  test('without a reason the function is told that its call was cancelled', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'reasonWhenAborted', [])
    await untilRunning(runner, id)
    await runner.cancel(id, { grace: 600_000 })
    const { name, message } = valueOf(await end(runner, id)) as { name: string; message: string }
    assert.equal(name, 'AbortError')
    assert.match(message, /cancel/)
  })

  test('a call that throws what its signal was aborted with was aborted, cooperatively', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'throwWhenAborted', [])
    await untilRunning(runner, id)
    await runner.cancel(id, { reason: 'no longer needed', grace: 600_000 })
    const status = await end(runner, id)
    const error = errorOf(status, 'ABORTED')
    const facts = { fn: 'throwWhenAborted', started: 'yes', retryable: false, step: 'cooperative' }
    assert.deepEqual(factsOf(error), facts)
    assert.equal(error.cause, 'no longer needed')
    assert.equal(error.id, id)
    assert.equal(status.id, id)
    assert.match(error.message, /no longer needed/)
  })

  test('a call that was aborted without a reason has what it threw as the cause', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'throwOtherWhenAborted', [])
    await untilRunning(runner, id)
    await runner.cancel(id, { grace: 600_000 })
    const error = errorOf(await end(runner, id), 'ABORTED')
    assert.equal(error.step, 'cooperative')
    assert.ok(error.cause instanceof RangeError)
    assert.equal(error.cause.message, 'could not clean up')
  })

  test('a cancelled call that returns a value in its grace time has returned', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const [cooperative, unaware] = await Promise.all([
      begin(runner, 'returnWhenAborted', ['saved']),
      begin(runner, 'hold', [latch.path, 'in time']),
    ])
    for (const id of [cooperative, unaware]) {
      await untilRunning(runner, id)
      await runner.cancel(id, { grace: 600_000 })
    }
    latch.open()
    const expected = { finished: true, ok: true, value: 'saved', id: cooperative }
    assert.deepEqual(await end(runner, cooperative), expected)
    assert.equal(valueOf(await end(runner, unaware)), 'in time')
  })

  test('cancel answers at once, and the call has its grace time to clean up', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'cleanUpWhenAborted', [latch.path])
    await untilRunning(runner, id)
    const status = await runner.cancel(id, { grace: 600_000 })
    assert.equal(status.finished, false)
    await untilProgress(runner, id, 'cleaning up')
    latch.open()
    assert.equal(valueOf(await end(runner, id)), 'cleaned up')
  })

  test('a call that does not heed its signal is killed when its grace time is over', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, id)
    const began = performance.now()
    const status = await runner.cancel(id, { reason: 'too late', grace: 60 })
    assert.equal(status.finished, false)
    const error = errorOf(await end(runner, id), 'ABORTED')
    assert.ok(performance.now() - began >= 58)
    assert.deepEqual(factsOf(error), { fn: 'hold', started: 'yes', retryable: false, step: 'killed' })
    assert.equal(error.cause, 'too late')
    assert.equal(error.id, id)
  })

  test('a killed call does nothing more', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const [latch, trail] = [posts.latch(), posts.trail()]
    const id = await begin(runner, 'holdThenLeave', [latch.path, trail.path, 'after its death'])
    await untilRunning(runner, id)
    await runner.cancel(id, { grace: 0 })
    assert.equal(errorOf(await end(runner, id), 'ABORTED').step, 'killed')
    await runner.close()
    latch.open()
    assert.deepEqual(trail.read(), [])
  })

  test('with grace 0 a call that has begun is killed at once', async (t) => {
    const { runner, posts } = await suite.setUp(t, { grace: Infinity })
    const id = await begin(runner, 'cleanUpWhenAborted', [posts.latch().path])
    await untilRunning(runner, id)
    await runner.cancel(id, { grace: 0 })
    assert.equal(errorOf(await end(runner, id), 'ABORTED').step, 'killed')
  })

  test('with grace Infinity, or one above the longest timer of Node, a call is not killed', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const ids = await Promise.all([1, 2].map((i) => begin(runner, 'hold', [latch.path, i])))
    for (const [i, id] of ids.entries()) {
      await untilRunning(runner, id)
      await runner.cancel(id, { grace: i === 0 ? Infinity : 2 ** 40 })
    }
    for (const id of ids) assert.equal((await runner.wait(id, { timeout: 60 })).finished, false)
    latch.open()
    assert.deepEqual((await Promise.all(ids.map((id) => end(runner, id)))).map(valueOf), [1, 2])
  })

  test('a busy loop that polls aborted ends by itself', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'pollAborted', [])
    await untilRunning(runner, id)
    await runner.cancel(id, { grace: 600_000 })
    assert.equal(valueOf(await end(runner, id)), 'saw it')
  })

  test('a busy loop that polls nothing is killed', { skip: !killsBusyLoops }, async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'spin', [])
    await untilRunning(runner, id)
    await runner.cancel(id, { grace: 20 })
    assert.equal(errorOf(await end(runner, id), 'ABORTED').step, 'killed')
    assert.equal(await runner.call('add', [1, 2]), 3)
  })

  test("nobody else's call is harmed by a kill", async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 2 })
    const [latch, never, trail] = [posts.latch(), posts.latch(), posts.trail()]
    // The runner knows the function as a quick one, and may send such calls ahead.
    await Promise.all(
      Array.from({ length: suite.many(50) }, (_, i) => runner.call('leave', [trail.path, `before ${i}`])),
    )
    const neighbour = await begin(runner, 'hold', [latch.path, 'unharmed'])
    const victim = await begin(runner, 'hold', [never.path])
    const lines = Array.from({ length: suite.many(50) }, (_, i) => `after ${i}`)
    const behind = lines.map((line) => runner.call('leave', [trail.path, line]))
    await untilRunning(runner, victim)
    await untilRunning(runner, neighbour)
    await runner.cancel(victim, { grace: 0 })
    assert.equal(errorOf(await end(runner, victim), 'ABORTED').step, 'killed')
    await Promise.all(behind)
    assert.deepEqual(trail.read().slice(suite.many(50)).toSorted(), lines.toSorted())
    latch.open()
    assert.equal(valueOf(await end(runner, neighbour)), 'unharmed')
  })

  test('cancelling twice is fine, and the first reason stands', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'cleanUpWhenAborted', [latch.path])
    await untilRunning(runner, id)
    await runner.cancel(id, { reason: 'first', grace: 600_000 })
    await untilProgress(runner, id, 'cleaning up')
    const second = await runner.cancel(id, { reason: 'second', grace: 600_000 })
    assert.ok(!second.finished && second.progress === 'cleaning up')
    await runner.cancel(id, { reason: 'third', grace: 0 })
    const error = errorOf(await end(runner, id), 'ABORTED')
    assert.equal(error.cause, 'first')
  })

  test('a second cancel can shorten the grace time, not lengthen it', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const [shortened, lengthened] = await Promise.all([1, 2].map((i) => begin(runner, 'hold', [latch.path, i])))
    assert.ok(shortened && lengthened)
    for (const id of [shortened, lengthened]) await untilRunning(runner, id)
    await runner.cancel(shortened, { grace: 600_000 })
    await runner.cancel(shortened, { grace: 30 })
    await runner.cancel(lengthened, { grace: 30 })
    await runner.cancel(lengthened, { grace: 600_000 })
    assert.equal(errorOf(await end(runner, shortened), 'ABORTED').step, 'killed')
    assert.equal(errorOf(await end(runner, lengthened), 'ABORTED').step, 'killed')
  })

  test('cancelling after the end answers with the end, and changes nothing', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'add', [1, 2])
    const status = await end(runner, id)
    assert.deepEqual(await runner.cancel(id, { reason: 'too late' }), status)
    assert.deepEqual(await runner.cancel(id, { grace: 0 }), status)
    assert.deepEqual(await runner.wait(id), status)
    assert.equal(valueOf(status), 3)
  })

  test('the grace time of start holds where cancel gives none', async (t) => {
    const { runner, posts } = await suite.setUp(t, { grace: Infinity, define: { hold: { grace: Infinity } } })
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path], { grace: 20 })
    await untilRunning(runner, id)
    await runner.cancel(id)
    assert.equal(errorOf(await end(runner, id), 'ABORTED').step, 'killed')
  })

  test('the grace time of a function holds where start gives none', async (t) => {
    const { runner, posts } = await suite.setUp(t, { grace: Infinity, define: { hold: { grace: 20 } } })
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, id)
    await runner.cancel(id)
    assert.equal(errorOf(await end(runner, id), 'ABORTED').step, 'killed')
  })

  test('the grace time of the runner holds where nobody else gives one', async (t) => {
    const { runner, posts } = await suite.setUp(t, { grace: 20 })
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, id)
    await runner.cancel(id)
    assert.equal(errorOf(await end(runner, id), 'ABORTED').step, 'killed')
  })

  test('the waits on a cancelled call are answered when it has ended', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'cleanUpWhenAborted', [latch.path])
    await untilRunning(runner, id)
    const waits = Array.from({ length: 10 }, () => end(runner, id))
    await runner.cancel(id, { grace: 600_000 })
    await untilProgress(runner, id, 'cleaning up')
    assert.ok(await isPending(Promise.race(waits)))
    latch.open()
    for (const status of await Promise.all(waits)) assert.equal(valueOf(status), 'cleaned up')
  })

  test('a reason that cannot be shown takes nothing from the cancel, queued or running', async (t) => {
    const unshowable = [
      {
        [inspect.custom](): never {
          throw new Error('no looking')
        },
      },
      Object.defineProperty(new Error('hidden'), 'message', {
        get(): never {
          throw new Error('no reading')
        },
      }),
      Object.assign(new Error('odd'), { message: Symbol('odd') }),
    ]
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    for (const reason of unshowable) {
      const running = await begin(runner, 'hold', [latch.path])
      await untilRunning(runner, running)
      const queued = await begin(runner, 'add', [1, 2])
      assert.equal(errorOf(await runner.cancel(queued, { reason }), 'ABORTED').step, 'queued')
      await runner.cancel(running, { reason, grace: 0 })
      assert.equal(errorOf(await end(runner, running), 'ABORTED').step, 'killed')
    }
    assert.equal(await runner.call('add', [1, 2]), 3)
  })
}
