import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallId, Runner, StartOptions } from '../../src/index.ts'
import type { Latch, Trail } from '../helpers/latch.ts'
import { begin, beginAll, end, factsOf, refused, untilRunning, valueOf } from './answers.ts'
import type { Calls, SetUp, Suite } from './place.ts'

export function queueRules(suite: Suite): void {
  test('calls of one priority begin in the order in which they were admitted', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const { latch, trail } = await occupy(runner, posts)
    const ids = await leaveAll(
      runner,
      trail,
      [...'abcdefgh'].map((line) => ({ line })),
    )
    latch.open()
    await Promise.all(ids.map((id) => end(runner, id)))
    assert.deepEqual(trail.read(), [...'abcdefgh'])
  })

  test('calls of a higher priority begin first', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const { latch, trail } = await occupy(runner, posts)
    const ids = await leaveAll(runner, trail, [
      { line: 'lowest', priority: -100 },
      { line: 'normal, first' },
      { line: 'high, first', priority: 20 },
      { line: 'highest', priority: 100 },
      { line: 'normal, second', priority: 0 },
      { line: 'low', priority: -20 },
      { line: 'high, second', priority: 20 },
    ])
    latch.open()
    await Promise.all(ids.map((id) => end(runner, id)))
    assert.deepEqual(trail.read(), [
      'highest',
      'high, first',
      'high, second',
      'normal, first',
      'normal, second',
      'low',
      'lowest',
    ])
  })

  test('a call that waits cannot starve: after a second it goes before those with one priority more', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const { latch, trail, id: holder } = await occupy(runner, posts)
    const [old] = await leaveAll(runner, trail, [{ line: 'old' }])
    await runner.wait(holder, { timeout: 1_100 })
    const ids = await leaveAll(runner, trail, [
      { line: 'new, priority 1', priority: 1 },
      { line: 'new, priority 100', priority: 100 },
    ])
    latch.open()
    await Promise.all([old as CallId, ...ids].map((id) => end(runner, id)))
    assert.deepEqual(trail.read(), ['new, priority 100', 'old', 'new, priority 1'])
  })

  test("a function's priority holds where start gives none", async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1, define: { leave: { priority: 10 } } })
    const { latch, trail } = await occupy(runner, posts)
    const ids = await leaveAll(runner, trail, [{ line: 'given', priority: 9 }, { line: 'defined' }])
    latch.open()
    await Promise.all(ids.map((id) => end(runner, id)))
    assert.deepEqual(trail.read(), ['defined', 'given'])
  })

  test('as many calls run side by side as there are places', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 3 })
    const latch = posts.latch()
    const ids = await beginAll(
      runner,
      'hold',
      [1, 2, 3, 4].map((i) => [latch.path, i] as const),
    )
    const [first, second, third, fourth] = ids as [CallId, CallId, CallId, CallId]
    for (const id of [first, second, third]) await untilRunning(runner, id)
    assert.deepEqual(await runner.wait(fourth, { timeout: 20 }), { finished: false, id: fourth, state: 'queued' })
    latch.open()
    assert.deepEqual((await Promise.all(ids.map((id) => end(runner, id)))).map(valueOf), [1, 2, 3, 4])
  })

  test('a slow call holds up none of those that were admitted after it while there is another place', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 2 })
    const latch = posts.latch()
    // The runner knows the function as a quick one.
    await Promise.all(Array.from({ length: suite.many(100) }, (_, i) => runner.call('takeTurns', [0, i])))
    await begin(runner, 'hold', [latch.path])
    const values = await Promise.all(
      Array.from({ length: suite.many(100) }, (_, i) => runner.call('takeTurns', [0, i])),
    )
    assert.equal(values.length, suite.many(100))
    latch.open()
  })

  test('a call that finds as many waiting as queueLimit lets in is refused before it exists', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1, queueLimit: 2 })
    const latch = posts.latch()
    const ids = await Promise.all([1, 2, 3].map((i) => begin(runner, 'hold', [latch.path, i])))
    const error = await refused(runner.start('add', [1, 2]), 'QUEUE_FULL')
    assert.deepEqual(factsOf(error), { fn: 'add', started: 'no', retryable: true })
    assert.match(error.message, /queueLimit/)
    await refused(runner.call('add', [1, 2]), 'QUEUE_FULL')
    assert.equal((await runner.stats()).total.admitted, 3)
    assert.equal((await runner.list()).calls.length, 3)
    latch.open()
    assert.deepEqual((await Promise.all(ids.map((id) => end(runner, id)))).map(valueOf), [1, 2, 3])
    assert.equal(await runner.call('add', [1, 2]), 3)
  })

  test('with queueLimit 0 there are as many calls as places', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1, queueLimit: 0 })
    await runner.ready()
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path])
    await refused(runner.start('add', [1, 2]), 'QUEUE_FULL')
    latch.open()
    await end(runner, id)
    assert.equal(await runner.call('add', [1, 2]), 3)
  })

  test('a call that is cancelled in the queue makes room', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1, queueLimit: 1 })
    const { latch } = await occupy(runner, posts)
    const queued = await begin(runner, 'add', [1, 2])
    await refused(runner.start('add', [1, 2], { timeout: 0 }), 'QUEUE_FULL')
    await runner.cancel(queued)
    const id = await begin(runner, 'add', [3, 4])
    latch.open()
    assert.equal(valueOf(await end(runner, id)), 7)
  })

  test('after a refusal drain tells once that there is room again', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1, queueLimit: 0 })
    let drained = 0
    runner.on('drain', () => {
      drained += 1
    })
    const { latch, id } = await occupy(runner, posts)
    await refused(runner.start('add', [1, 2]), 'QUEUE_FULL')
    await refused(runner.start('add', [1, 2]), 'QUEUE_FULL')
    assert.equal(drained, 0)
    const room = new Promise<void>((resolve) => runner.once('drain', resolve))
    latch.open()
    await room
    await end(runner, id)
    assert.equal(await runner.call('add', [1, 2]), 3)
    assert.equal(drained, 1)
  })

  test('without a refusal there is no drain', async (t) => {
    const { runner } = await suite.setUp(t)
    let drained = 0
    runner.on('drain', () => {
      drained += 1
    })
    await Promise.all(Array.from({ length: 20 }, () => runner.call('add', [1, 2])))
    assert.equal(drained, 0)
  })
}

/** Fills the only place with a call that holds it until the latch opens. */
async function occupy(
  runner: Runner<Calls>,
  posts: SetUp['posts'],
): Promise<{ latch: Latch; trail: Trail; id: CallId }> {
  const latch = posts.latch()
  const id = await begin(runner, 'hold', [latch.path], { priority: 100 })
  await untilRunning(runner, id)
  return { latch, trail: posts.trail(), id }
}

async function leaveAll(
  runner: Runner<Calls>,
  trail: Trail,
  calls: (StartOptions & { line: string })[],
): Promise<CallId[]> {
  const ids: CallId[] = []
  for (const { line, ...options } of calls) ids.push(await begin(runner, 'leave', [trail.path, line], options))
  return ids
}
