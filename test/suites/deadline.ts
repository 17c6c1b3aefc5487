import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, end, errorOf, factsOf, idOf, refused, untilRunning, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

export function deadlineRules(suite: Suite): void {
  const { killsBusyLoops } = suite.capabilities

  test('a call that runs longer is told so by its signal', async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('reasonWhenAborted', [], { abortAfter: 30, grace: 600_000, timeout: Infinity })
    const { name, message, aborted } = valueOf(status)
    assert.equal(name, 'TimeoutError')
    assert.match(message, /30 ms/)
    assert.equal(aborted, true)
  })

  test('a call that throws then has exceeded its deadline, cooperatively', async (t) => {
    const { runner } = await suite.setUp(t)
    const began = performance.now()
    const status = await runner.start('throwOtherWhenAborted', [], { abortAfter: 50, grace: 600_000 })
    const error = errorOf(status, 'DEADLINE_EXCEEDED')
    assert.ok(performance.now() - began >= 48)
    const facts = { fn: 'throwOtherWhenAborted', started: 'yes', retryable: false, step: 'cooperative' }
    assert.deepEqual(factsOf(error), facts)
    assert.match(error.message, /50 ms/)
    assert.ok(error.cause instanceof RangeError)
  })

  test('a call that returns in its grace time has returned', async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('returnWhenAborted', ['saved'], { abortAfter: 20, grace: 600_000 })
    assert.equal(valueOf(status), 'saved')
  })

  test('a call that does not heed its signal is killed when its grace time is over', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const began = performance.now()
    const status = await runner.start('hold', [latch.path], { abortAfter: 30, grace: 40, timeout: Infinity })
    const error = errorOf(status, 'DEADLINE_EXCEEDED')
    assert.ok(performance.now() - began >= 68)
    assert.deepEqual(factsOf(error), { fn: 'hold', started: 'yes', retryable: false, step: 'killed' })
  })

  test('a busy loop is killed', { skip: !killsBusyLoops }, async (t) => {
    const { runner } = await suite.setUp(t)
    const status = await runner.start('spin', [], { abortAfter: 20, grace: 20, timeout: Infinity })
    assert.equal(errorOf(status, 'DEADLINE_EXCEEDED').step, 'killed')
    assert.equal(await runner.call('add', [1, 2]), 3)
  })

  test('a busy loop that polls aborted ends by itself', async (t) => {
    const { runner } = await suite.setUp(t)
    assert.equal(await runner.call('pollAborted', [], { abortAfter: 20, grace: 600_000 }), 'saw it')
  })

  test('call rejects with DEADLINE_EXCEEDED', async (t) => {
    const { runner } = await suite.setUp(t)
    const error = await refused(
      runner.call('throwWhenAborted', [], { abortAfter: 20, grace: 600_000 }),
      'DEADLINE_EXCEEDED',
    )
    assert.equal(error.step, 'cooperative')
  })

  test('the time counts from when the function begins: waiting in the queue takes none of it', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    await begin(runner, 'hold', [latch.path])
    const id = await begin(runner, 'returnWhenAborted', ['told in the end'], { abortAfter: 50, grace: 600_000 })
    assert.deepEqual(await runner.wait(id, { timeout: 200 }), { finished: false, id, state: 'queued' })
    const opened = performance.now()
    latch.open()
    assert.equal(valueOf(await end(runner, id)), 'told in the end')
    assert.ok(performance.now() - opened >= 48)
  })

  test('nor does the start of the place where it runs', async (t) => {
    const { runner } = await suite.setUp(t)
    // The module's import alone takes longer than this.
    const status = await runner.start('returnWhenAborted', ['told'], {
      abortAfter: 30,
      grace: 600_000,
      retain: 600_000,
    })
    assert.equal(valueOf(status), 'told')
    const [row] = (await runner.list()).calls
    assert.ok(row?.state === 'finished' && row.startedAt !== undefined)
    assert.ok(row.finishedAt - row.startedAt >= 28, `it ran for ${row.finishedAt - row.startedAt} ms`)
  })

  test('a call that ends before is not touched, then or later', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'takeTurns', [1, 'value'], { abortAfter: 40, grace: 600_000 })
    const status = await end(runner, id)
    assert.equal(valueOf(status), 'value')
    await runner.start('hold', [latch.path], { timeout: 80 })
    assert.deepEqual(await runner.wait(id), status)
    latch.open()
  })

  test('timeout and abortAfter do not stand in for one another', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = idOf(await runner.start('hold', [latch.path, 'untouched'], { timeout: 5, abortAfter: 600_000 }))
    const late = await runner.start('throwWhenAborted', [], { timeout: 600_000, abortAfter: 5, grace: 600_000 })
    errorOf(late, 'DEADLINE_EXCEEDED')
    latch.open()
    assert.equal(valueOf(await end(runner, id)), 'untouched')
  })

  test("a function's abortAfter holds where start gives none", async (t) => {
    const { runner, posts } = await suite.setUp(t, { define: { hold: { abortAfter: 30, grace: 0 } } })
    const latch = posts.latch()
    const [short, long] = await Promise.all([
      begin(runner, 'hold', [latch.path, 'short']),
      begin(runner, 'hold', [latch.path, 'long'], { abortAfter: 600_000 }),
    ])
    errorOf(await end(runner, short), 'DEADLINE_EXCEEDED')
    latch.open()
    assert.equal(valueOf(await end(runner, long)), 'long')
  })

  test('abortAfter Infinity, or one above the longest timer of Node, does not abort', async (t) => {
    const { runner, posts } = await suite.setUp(t, { define: { hold: { abortAfter: 10 } }, atOnce: 3 })
    const latch = posts.latch()
    const limits = [Infinity, 2 ** 31, 2 ** 40]
    const ids = await Promise.all(
      limits.map((abortAfter) => begin(runner, 'hold', [latch.path, abortAfter], { abortAfter, grace: 0 })),
    )
    for (const id of ids) await untilRunning(runner, id)
    for (const id of ids) assert.equal((await runner.wait(id, { timeout: 60 })).finished, false)
    latch.open()
    assert.deepEqual((await Promise.all(ids.map((id) => end(runner, id)))).map(valueOf), limits)
  })

  test('a fraction of a millisecond is time to run', async (t) => {
    const { runner } = await suite.setUp(t)
    const options = { abortAfter: 0.2, grace: 600_000 }
    assert.equal(await runner.call('returnWhenAborted', ['told'], options), 'told')
  })

  test('a call that was cancelled before its deadline was aborted, not late', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path], { abortAfter: 1_000, grace: 20 })
    await untilRunning(runner, id)
    await runner.cancel(id, { reason: 'before its time', grace: 1_200 })
    const error = errorOf(await end(runner, id), 'ABORTED')
    assert.equal(error.cause, 'before its time')
  })
}
