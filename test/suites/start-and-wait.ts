import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallStarted } from '../../src/index.ts'
import { until } from '../helpers/latch.ts'
import { begin, end, errorOf, idOf, refused, untilProgress, untilRunning, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

const CALL_ID = /^\d+:\d+:\d+\.\d+:[0-9a-f]{40}$/

export function startAndWaitRules(suite: Suite): void {
  const { lateIds } = suite.capabilities

  test('a call that ends inside its first wait is answered with its value, and has no ID', async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('add', [1, 2])
    assert.deepEqual(status, { finished: true, ok: true, value: 3 })
    assert.deepEqual(await runner.list(), { calls: [] })
  })

  test('a call that fails inside its first wait is answered with its error, and has no ID', async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('fail', ['builtIn'])
    errorOf(status, 'FUNCTION_THREW')
    assert.deepEqual(Object.keys(status).toSorted(), ['error', 'finished', 'ok'])
    assert.deepEqual(await runner.list(), { calls: [] })
  })

  test('a call that outlives its first wait is answered with its ID, and is waited for by it', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const first = await runner.start('hold', [latch.path, 'held'], { timeout: 10 })
    const id = idOf(first)
    const second = await runner.wait(id, { timeout: 10 })
    assert.ok(!second.finished)
    assert.equal(second.id, id)
    latch.open()
    assert.deepEqual(await runner.wait(id), { finished: true, ok: true, value: 'held', id })
  })

  test('a call that fails after its first wait is answered with its error and its ID', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'failLater', ['builtIn'])
    const status = await end(runner, id)
    const error = errorOf(status, 'FUNCTION_THREW')
    assert.equal(status.id, id)
    assert.equal(error.id, id)
    assert.equal(error.fn, 'failLater')
    assert.equal(error.started, 'yes')
    assert.equal(error.retryable, false)
  })

  test('an outcome can be asked for again and again', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'add', [1, 2])
    const first = await end(runner, id)
    assert.equal(valueOf(first), 3)
    assert.deepEqual(await runner.wait(id), first)
    assert.deepEqual(await runner.wait(id, { timeout: 0 }), first)
  })

  test('a call that waits for a place is queued, and then running', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const [first, second] = [posts.latch(), posts.latch()]
    const ahead = await begin(runner, 'hold', [first.path])
    const id = await begin(runner, 'hold', [second.path])
    await untilRunning(runner, ahead)
    assert.deepEqual(await runner.wait(id, { timeout: 0 }), { finished: false, id, state: 'queued' })
    first.open()
    await untilRunning(runner, id)
    second.open()
    assert.equal((await end(runner, id)).id, id)
  })

  test('a status that is not finished tells the last progress', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'report', [['first', 'last'], latch.path])
    await untilProgress(runner, id, 'last')
    const expected = { finished: false, id, state: 'running', progress: 'last' }
    assert.deepEqual(await runner.wait(id, { timeout: 0 }), expected)
    latch.open()
    assert.deepEqual(await end(runner, id), { finished: true, ok: true, value: 'reported', id })
  })

  test('every ID is another one, and has the form ppid:cpid:time:random', async (t) => {
    const { runner } = await suite.setUp(t)
    const ids = await Promise.all(Array.from({ length: 300 }, () => begin(runner, 'add', [1, 2])))
    for (const id of ids) assert.match(id, CALL_ID)
    assert.equal(new Set(ids).size, 300)
    const ofRunner = new Set(ids.map((id) => id.split(':')[3]?.slice(0, 8)))
    assert.equal(ofRunner.size, 1)
    const secret = new Set(ids.map((id) => id.split(':')[3]?.slice(8)))
    assert.equal(secret.size, 300)
  })

  test('the time in an ID is Unix time in seconds', async (t) => {
    const { runner } = await suite.setUp(t)
    const before = Date.now()
    const id = await begin(runner, 'add', [1, 2])
    const time = Number(id.split(':')[2]) * 1_000
    assert.ok(time >= before - 1 && time <= Date.now() + 1, id)
  })

  test('a call keeps its ID when it comes to run', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    await begin(runner, 'hold', [latch.path])
    const id = await begin(runner, 'hold', [latch.path])
    assert.equal(id.split(':')[1], '0', 'it waited in the queue')
    latch.open()
    assert.equal((await end(runner, id)).id, id)
  })

  test('an ID that is first asked for while the call runs tells where it runs', { skip: !lateIds }, async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const started = new Promise<CallStarted>((resolve) => runner.once('started', resolve))
    const answer = runner.start('hold', [latch.path, 'value'], { timeout: Infinity })
    const { id } = await started
    assert.match(id, CALL_ID)
    assert.notEqual(id.split(':')[1], '0')
    assert.deepEqual(await runner.wait(id, { timeout: 0 }), { finished: false, id, state: 'running' })
    latch.open()
    assert.equal(valueOf(await answer), 'value')
  })

  test('call gives the value', async (t) => {
    const { runner } = await suite.setUp(t)
    assert.equal(await runner.call('add', [1, 2]), 3)
    assert.equal(await runner.call('addLater', [3, 4]), 7)
    assert.deepEqual(await runner.list(), { calls: [] })
  })

  test('calls that are begun together all end, each with its own value', async (t) => {
    const { runner } = await suite.setUp(t)
    const numbers = Array.from({ length: suite.many(500) }, (_, i) => i)
    const sums = await Promise.all(numbers.map((n) => runner.call(n % 2 ? 'add' : 'addLater', [n, 1])))
    assert.deepEqual(
      sums,
      numbers.map((n) => n + 1),
    )
  })

  test('a call runs once', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const trail = posts.trail()
    const lines = Array.from({ length: suite.many(100) }, (_, i) => String(i))
    await Promise.all(lines.map((line) => runner.call('leave', [trail.path, line])))
    assert.deepEqual(trail.read().toSorted(), lines.toSorted())
  })

  test('fire and forget: a call that nobody waits for runs, and its outcome is there for who comes back', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const trail = posts.trail()
    const id = await begin(runner, 'leave', [trail.path, 'was here'])
    await until('the call', () => trail.read().length > 0)
    assert.deepEqual(await runner.wait(id), { finished: true, ok: true, value: undefined, id })
    assert.deepEqual(trail.read(), ['was here'])
  })

  test('what is no call ID is unknown', async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'add', [1, 2])
    for (const wrong of ['', 'garbage', id.slice(0, -1), `${id}0`, id.toUpperCase() + 'Z', ` ${id}`]) {
      await refused(runner.wait(wrong), 'CALL_UNKNOWN')
      await refused(runner.cancel(wrong), 'CALL_UNKNOWN')
      const error = await refused(runner.forget(wrong), 'CALL_UNKNOWN')
      assert.equal(error.retryable, false)
      assert.equal(error.started, 'unknown')
    }
  })

  test('the ID of a call of another runner is one of a lost call', async (t) => {
    const [{ runner }, { runner: other }] = [await suite.setUp(t), await suite.setUp(t)]
    const id = await begin(other, 'add', [1, 2])
    await refused(runner.wait(id), 'CALL_LOST')
    await refused(runner.cancel(id), 'CALL_LOST')
    const error = await refused(runner.forget(id), 'CALL_LOST')
    assert.equal(error.started, 'unknown')
    assert.match(error.message, /another runner/)
  })

  test("an ID of the runner's own that it does not know is one of an expired call", async (t) => {
    const { runner } = await suite.setUp(t)
    const id = await begin(runner, 'add', [1, 2])
    const guessed = id.replace(/.{32}$/, '0'.repeat(32))
    await refused(runner.wait(guessed), 'CALL_EXPIRED')
    await refused(runner.cancel(guessed), 'CALL_EXPIRED')
    await refused(runner.forget(guessed), 'CALL_EXPIRED')
  })

  test('ready resolves when functions can run, as often as it is asked', async (t) => {
    const { runner } = await suite.setUp(t)
    await Promise.all([runner.ready(), runner.ready()])
    await runner.ready()
    assert.equal(await runner.call('add', [1, 2]), 3)
  })
}
