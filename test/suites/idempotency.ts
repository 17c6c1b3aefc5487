import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, end, factsOf, idOf, refused, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

export function idempotencyRules(suite: Suite): void {
  test('the same key with the same function and arguments gives the call that exists', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const [latch, trail] = [posts.latch(), posts.trail()]
    const args = [latch.path, trail.path, 'once'] as const
    const id = await begin(runner, 'holdThenLeave', args, { idempotencyKey: 'order 1' })
    const again = await runner.start('holdThenLeave', args, { idempotencyKey: 'order 1', timeout: 5 })
    assert.equal(idOf(again), id)
    const waiting = runner.start('holdThenLeave', args, { idempotencyKey: 'order 1' })
    latch.open()
    assert.deepEqual(await waiting, { finished: true, ok: true, value: undefined, id })
    assert.deepEqual(await runner.start('holdThenLeave', args, { idempotencyKey: 'order 1' }), await waiting)
    assert.deepEqual(trail.read(), ['once'])
    assert.equal((await runner.stats()).total.admitted, 1)
  })

  test('a call with a key is kept though it ended inside its first wait', async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('add', [1, 2], { idempotencyKey: 'sum' })
    assert.ok(status.finished && status.id !== undefined)
    assert.equal(valueOf(await runner.wait(status.id)), 3)
  })

  test('starts that are made together with one key make one call', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const trail = posts.trail()
    const starts = Array.from({ length: 50 }, () =>
      runner.start('leave', [trail.path, 'once'], { idempotencyKey: 'together' }),
    )
    const statuses = await Promise.all(starts)
    assert.equal(new Set(statuses.map(({ id }) => id)).size, 1)
    assert.deepEqual(trail.read(), ['once'])
  })

  test('a failed call is not run again for its key', async (t) => {
    const { runner } = await suite.setUp(t)
    const first = await runner.start('fail', ['builtIn'], { idempotencyKey: 'failed' })
    const second = await runner.start('fail', ['builtIn'], { idempotencyKey: 'failed' })
    assert.ok(second.finished && !second.ok)
    assert.equal(second.error.code, 'FUNCTION_THREW')
    assert.equal(second.id, first.id)
    assert.equal((await runner.stats()).total.admitted, 1)
  })

  test('the same key with other arguments or another function is refused, and does not touch the call', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 1], { idempotencyKey: 'key' })
    const error = await refused(runner.start('hold', [latch.path, 2], { idempotencyKey: 'key' }), 'KEY_REUSED')
    assert.deepEqual(factsOf(error), { fn: 'hold', started: 'no', retryable: false })
    assert.match(error.message, /"key"/)
    await refused(runner.start('hold', [latch.path], { idempotencyKey: 'key' }), 'KEY_REUSED')
    await refused(runner.start('echo', [1], { idempotencyKey: 'key' }), 'KEY_REUSED')
    assert.equal((await runner.stats()).total.admitted, 1)
    latch.open()
    assert.equal(valueOf(await end(runner, id)), 1)
  })

  test('arguments are the same when they are equal, whatever their kind', async (t) => {
    const { runner } = await suite.setUp(t)
    const made = () => [new Map([['day', new Date(0)]]), new Uint8Array([1, 2]), 5n, undefined, { deep: [[null]] }]
    const first = await runner.start('kinds', [made()], { idempotencyKey: 'kinds' })
    const second = await runner.start('kinds', [made()], { idempotencyKey: 'kinds' })
    assert.ok(first.finished && second.finished)
    assert.equal(second.id, first.id)
    const other = made().with(1, new Uint8Array([1, 3]))
    await refused(runner.start('kinds', [other], { idempotencyKey: 'kinds' }), 'KEY_REUSED')
  })

  test('the order of the properties of an argument makes no difference', async (t) => {
    const { runner } = await suite.setUp(t)
    const first = await runner.start('echo', [{ a: 1, b: 2 }], { idempotencyKey: 'order' })
    const second = await runner.start('echo', [{ b: 2, a: 1 }], { idempotencyKey: 'order' })
    assert.equal(second.id, first.id)
  })

  test('calls with other keys, or without one, are calls of their own', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const trail = posts.trail()
    const args = [trail.path, 'each'] as const
    const statuses = await Promise.all([
      runner.start('leave', args, { idempotencyKey: 'one', timeout: 0 }),
      runner.start('leave', args, { idempotencyKey: 'two', timeout: 0 }),
      runner.start('leave', args, { timeout: 0 }),
      runner.start('leave', args, { timeout: 0 }),
    ])
    await Promise.all(statuses.map((status) => end(runner, idOf(status))))
    assert.equal(new Set(statuses.map(({ id }) => id)).size, 4)
    assert.deepEqual(trail.read(), ['each', 'each', 'each', 'each'])
  })

  test('a key lives as long as its call is kept', async (t) => {
    const { runner } = await suite.setUp(t, { retainLimit: 1 })
    const first = await runner.start('add', [1, 2], { idempotencyKey: 'key' })
    assert.ok(first.finished && first.id !== undefined)
    await runner.forget(first.id)
    const second = await runner.start('add', [5, 6], { idempotencyKey: 'key' })
    assert.equal(valueOf(second), 11)
    assert.notEqual(second.id, first.id)
    await runner.start('add', [1, 2], { idempotencyKey: 'takes the room' })
    assert.equal(valueOf(await runner.start('add', [7, 8], { idempotencyKey: 'key' })), 15)
  })

  test('a call that was refused does not take the key', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1, queueLimit: 0 })
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path])
    await refused(runner.start('add', [1, 2], { idempotencyKey: 'key' }), 'QUEUE_FULL')
    latch.open()
    await end(runner, id)
    assert.equal(valueOf(await runner.start('add', [3, 4], { idempotencyKey: 'key' })), 7)
  })

  test('a key gives the call that exists though the queue is full', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1, queueLimit: 0 })
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path], { idempotencyKey: 'key' })
    assert.equal(await begin(runner, 'hold', [latch.path], { idempotencyKey: 'key' }), id)
    latch.open()
    await end(runner, id)
  })
}
