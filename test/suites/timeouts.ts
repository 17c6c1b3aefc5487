import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, end, idOf, isPending, untilRunning, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

/** Milliseconds by which a timer may go off early: those of Node count in whole ones. */
const EARLY = 1.5

export function timeoutRules(suite: Suite): void {
  test('start and wait answer after 10 seconds when timeout is left out, and call when the call ends', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 3 })
    const latch = posts.latch()
    const waitedFor = await begin(runner, 'hold', [latch.path, 'waited for'])
    const called = runner.call('hold', [latch.path, 'called'])
    const began = performance.now()
    const statuses = [
      runner.start('hold', [latch.path, 'started']),
      runner.start('hold', [latch.path, 'started'], {}),
      runner.wait(waitedFor),
      runner.wait(waitedFor, {}),
    ].map(async (answer) => [(await answer).finished, performance.now() - began] as const)
    for (const [finished, after] of await Promise.all(statuses)) {
      assert.equal(finished, false)
      assert.ok(after >= 10_000 - EARLY, `answered after ${after} ms`)
      assert.ok(after < 25_000, `answered after ${after} ms`)
    }
    assert.ok(await isPending(called))
    latch.open()
    assert.equal(await called, 'called')
    assert.equal(valueOf(await end(runner, waitedFor)), 'waited for')
  })

  test('start with timeout 0 admits the call and answers at once; the outcome is kept', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = idOf(await runner.start('hold', [latch.path, 'kept'], { timeout: 0 }))
    latch.open()
    assert.deepEqual(await end(runner, id), { finished: true, ok: true, value: 'kept', id })
  })

  test('wait with timeout 0 only looks', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'kept'])
    await untilRunning(runner, id)
    assert.deepEqual(await runner.wait(id, { timeout: 0 }), { finished: false, id, state: 'running' })
    latch.open()
    await end(runner, id)
    assert.equal(valueOf(await runner.wait(id, { timeout: 0 })), 'kept')
  })

  test('a fraction of a millisecond is time to wait, not 0', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = idOf(await runner.start('hold', [latch.path], { timeout: 0.25 }))
    for (const timeout of [0.1, 1.5, Number.MIN_VALUE]) {
      assert.equal((await runner.wait(id, { timeout })).finished, false)
    }
    latch.open()
    assert.equal((await runner.wait(id, { timeout: 20_000.5 })).finished, true)
  })

  test('a wait is not answered before its time while the call goes on', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path])
    for (const timeout of [1, 3, 5, 20, 50.5]) {
      const began = performance.now()
      assert.equal((await runner.wait(id, { timeout })).finished, false)
      const took = performance.now() - began
      assert.ok(took >= Math.ceil(timeout) - EARLY, `answered after ${took} of ${timeout} ms`)
    }
    const began = performance.now()
    assert.equal((await runner.start('hold', [latch.path], { timeout: 40 })).finished, false)
    assert.ok(performance.now() - began >= 40 - EARLY)
  })

  test('a wait is answered when the call ends, not when its time is up', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'done'])
    const began = performance.now()
    const answer = runner.wait(id, { timeout: 600_000 })
    latch.open()
    assert.equal(valueOf(await answer), 'done')
    assert.ok(performance.now() - began < 60_000)
  })

  test('Infinity waits until the call ends', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    const started = runner.start('hold', [latch.path, 'started'], { timeout: Infinity })
    const id = await begin(runner, 'hold', [latch.path, 'waited'])
    const waited = runner.wait(id, { timeout: Infinity })
    assert.equal((await runner.wait(id, { timeout: 100 })).finished, false)
    assert.ok(await isPending(started))
    assert.ok(await isPending(waited))
    latch.open()
    assert.deepEqual(await started, { finished: true, ok: true, value: 'started' })
    assert.equal(valueOf(await waited), 'waited')
  })

  test('a timeout above the longest timer of Node is no shorter for that', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 4 })
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'held'])
    const long = [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]
    const answers = [
      ...long.map((timeout) => runner.wait(id, { timeout })),
      runner.start('hold', [latch.path, 'held'], { timeout: 2 ** 32 }),
    ]
    assert.equal((await runner.wait(id, { timeout: 100 })).finished, false)
    for (const answer of answers) assert.ok(await isPending(answer))
    latch.open()
    for (const status of await Promise.all(answers)) assert.equal(valueOf(status), 'held')
  })

  test('reaching a timeout does not touch the call', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const [latch, trail] = [posts.latch(), posts.trail()]
    const id = idOf(
      await runner.start('holdThenLeave', [latch.path, trail.path, 'once'], { timeout: 5, abortAfter: 600_000 }),
    )
    for (let i = 0; i < 5; i++) assert.equal((await runner.wait(id, { timeout: 2 })).finished, false)
    latch.open()
    valueOf(await end(runner, id))
    assert.deepEqual(trail.read(), ['once'])
  })

  test('a call that waits in the queue is answered in time too', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    await begin(runner, 'hold', [latch.path])
    const status = await runner.start('add', [1, 2], { timeout: 30 })
    assert.deepEqual(status, { finished: false, id: idOf(status), state: 'queued' })
    latch.open()
    assert.equal(valueOf(await end(runner, idOf(status))), 3)
  })
}
