import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Signposts } from '../helpers/latch.ts'
import { begin, end, errorOf, factsOf, refused, untilRunning, valueOf } from './answers.ts'
import type { Suite } from './place.ts'

export function crashRules(suite: Suite): void {
  test('a function that ends its process or thread ends its call with WORKER_CRASHED', async (t) => {
    const { runner } = await suite.setUp(t)
    const error = errorOf(await runner.start('exit', [7]), 'WORKER_CRASHED')
    assert.deepEqual(factsOf(error), { fn: 'exit', started: 'yes', retryable: false })
    assert.equal(error.exitCode, 7)
    assert.match(error.message, /exit code 7/)
    assert.equal(await runner.call('add', [1, 2]), 3)
  })

  test('a function that exits with status 0 has not returned', async (t) => {
    const { runner } = await suite.setUp(t)
    const error = errorOf(await runner.start('exit', [0]), 'WORKER_CRASHED')
    assert.equal(error.exitCode, 0)
  })

  test('an error that nobody catches ends the call with WORKER_CRASHED, and is its cause', async (t) => {
    const { runner } = await suite.setUp(t)
    const error = await refused(runner.call('throwUncaught', []), 'WORKER_CRASHED')
    assert.equal(error.started, 'yes')
    assert.match(String((error.cause as Error).message), /nobody catches this/)
    assert.equal(await runner.call('add', [1, 2]), 3)
  })

  test('a crash harms no call but that one', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 2 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const neighbour = await begin(runner, 'hold', [latch.path, 'unharmed'])
    await untilRunning(runner, neighbour)
    const lines = Array.from({ length: suite.many(40) }, (_, i) => String(i))
    // Known as a quick function, so that its calls may be sent ahead.
    await runner.call('leave', [trail.path, 'first'])
    const crash = runner.start('exit', [1])
    const behind = lines.map((line) => runner.call('leave', [trail.path, line]))
    errorOf(await crash, 'WORKER_CRASHED')
    await Promise.all(behind)
    assert.deepEqual(trail.read().toSorted(), ['first', ...lines].toSorted())
    latch.open()
    assert.equal(valueOf(await end(runner, neighbour)), 'unharmed')
  })

  test('a runner outlives crash after crash', async (t) => {
    const { runner } = await suite.setUp(t, { atOnce: 1 })
    for (let i = 0; i < 5; i++) {
      errorOf(await runner.start('exit', [1], { timeout: Infinity }), 'WORKER_CRASHED')
      assert.equal(await runner.call('add', [i, 1]), i + 1)
    }
  })

  test(
    'a function that uses up its memory ends with OUT_OF_MEMORY, and only that call',
    { skip: !suite.capabilities.memoryLimit },
    async (t) => {
      const { runner } = await suite.setUp(t, { memoryLimit: 32, atOnce: 1 })
      const filling = runner.start('fillMemory', [], { timeout: Infinity })
      const behind = runner.call('add', [1, 2])
      const error = errorOf(await filling, 'OUT_OF_MEMORY')
      assert.deepEqual(factsOf(error), { fn: 'fillMemory', started: 'yes', retryable: false })
      assert.equal(await behind, 3)
    },
  )

  const unloadable = { skip: !suite.capabilities.servesUnloadable }
  test('a functions module that cannot be loaded is told by ready and by every call', unloadable, async (t) => {
    const posts = new Signposts()
    t.after(() => posts.remove())
    const path = posts.path('.mjs')
    writeFileSync(path, "export function f() {}\nthrow new RangeError('no configuration')\n")
    const { runner } = await suite.setUp(t, { functions: pathToFileURL(path) })
    const queued = await begin(runner, 'f' as 'add', [1, 2])
    const error = await refused(runner.ready(), 'SPAWN_FAILED')
    assert.ok(error.cause instanceof RangeError)
    assert.equal(error.cause.message, 'no configuration')
    const answers = [end(runner, queued), runner.start('f' as 'add', [1, 2])]
    for (const answer of await Promise.all(answers)) {
      const failed = errorOf(answer, 'SPAWN_FAILED')
      assert.deepEqual(factsOf(failed), { fn: 'f', started: 'no', retryable: true })
      assert.equal((failed.cause as Error).message, 'no configuration')
    }
    const called = await refused(runner.call('f' as 'add', [1, 2]), 'SPAWN_FAILED')
    assert.equal((called.cause as Error).message, 'no configuration')
  })
}
