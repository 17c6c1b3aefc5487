import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { until } from '../helpers/latch.ts'
import {
  begin,
  end,
  errorOf,
  factsOf,
  isPending,
  onlyCall,
  refused,
  thrownBy,
  untilRunning,
  valueOf,
} from './answers.ts'
import type { Suite } from './place.ts'

export function abortSignalRules(suite: Suite): void {
  test('a signal given to start cancels the call', async (t) => {
    const { runner } = await suite.setUp(t)
    const controller = new AbortController()
    const options = { signal: controller.signal, grace: 600_000 }
    const id = await begin(runner, 'throwWhenAborted', [], options)
    await untilRunning(runner, id)
    controller.abort('changed my mind')
    const error = errorOf(await end(runner, id), 'ABORTED')
    assert.equal(error.step, 'cooperative')
    assert.equal(error.cause, 'changed my mind')
  })

  test('a signal given to call cancels the call, which rejects with ABORTED and the reason as its cause', async (t) => {
    const { runner } = await suite.setUp(t)
    const controller = new AbortController()
    const answer = runner.call('throwWhenAborted', [], { signal: controller.signal, grace: 600_000 })
    await untilRunning(runner, await onlyCall(runner))
    const reason = new RangeError('changed my mind')
    controller.abort(reason)
    const error = await refused(answer, 'ABORTED')
    assert.deepEqual(factsOf(error), {
      fn: 'throwWhenAborted',
      started: 'yes',
      retryable: false,
      step: 'cooperative',
    })
    assert.ok(error.cause instanceof RangeError)
    assert.equal(error.cause.message, 'changed my mind')
  })

  test('a call that returns after its signal aborted has returned', async (t) => {
    const { runner } = await suite.setUp(t)
    const controller = new AbortController()
    const answer = runner.call('returnWhenAborted', ['saved'], { signal: controller.signal, grace: 600_000 })
    await untilRunning(runner, await onlyCall(runner))
    controller.abort()
    assert.equal(await answer, 'saved')
  })

  test('a signal drops a call that waits in the queue', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const ahead = await begin(runner, 'hold', [latch.path])
    const controller = new AbortController()
    const answer = runner.call('leave', [trail.path, 'ran'], { signal: controller.signal })
    controller.abort()
    const error = await refused(answer, 'ABORTED')
    assert.deepEqual(factsOf(error), { fn: 'leave', started: 'no', retryable: false, step: 'queued' })
    latch.open()
    await end(runner, ahead)
    await runner.call('add', [1, 2])
    assert.deepEqual(trail.read(), [])
  })

  test('a signal that had aborted before refuses the call, and nothing is admitted', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const trail = posts.trail()
    const reason = new Error('never wanted it')
    const options = { signal: AbortSignal.abort(reason) }
    const errors = await Promise.all([
      refused(runner.start('leave', [trail.path, 'ran'], options), 'ABORTED'),
      refused(runner.start('leave', [trail.path, 'ran'], { ...options, timeout: 0 }), 'ABORTED'),
      refused(runner.call('leave', [trail.path, 'ran'], options), 'ABORTED'),
    ])
    for (const error of errors) {
      assert.equal(error.started, 'no')
      assert.equal(error.step, 'queued')
      assert.equal((error.cause as Error).message, 'never wanted it')
    }
    await runner.call('add', [1, 2])
    assert.deepEqual(trail.read(), [])
    assert.equal((await runner.stats()).total.admitted, 1)
  })

  test('a signal that aborts after the end changes nothing', async (t) => {
    const { runner } = await suite.setUp(t)
    const controller = new AbortController()
    const id = await begin(runner, 'add', [1, 2], { signal: controller.signal })
    const status = await end(runner, id)
    controller.abort()
    assert.deepEqual(await runner.wait(id), status)
    assert.equal(valueOf(status), 3)
  })

  test('one signal cancels all calls that it was given to', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const controller = new AbortController()
    const options = { signal: controller.signal, grace: 600_000 }
    const first = await begin(runner, 'throwWhenAborted', [], options)
    const others = await Promise.all(Array.from({ length: 7 }, () => begin(runner, 'throwWhenAborted', [], options)))
    const spared = await begin(runner, 'hold', [latch.path, 'spared'])
    await untilRunning(runner, first)
    controller.abort()
    for (const id of [first, ...others]) errorOf(await end(runner, id), 'ABORTED')
    latch.open()
    assert.equal(valueOf(await end(runner, spared)), 'spared')
  })

  test('calls and waits leave nothing on the signals that they were given', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const { signal } = new AbortController()
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path], { signal })
    await Promise.all([
      ...Array.from({ length: 5 }, () => runner.wait(id, { timeout: 5, signal })),
      ...Array.from({ length: 5 }, () => runner.call('add', [1, 2], { signal })),
      ...Array.from({ length: 5 }, () => runner.start('fail', ['builtIn'], { signal })),
      thrownBy(runner.start('echo', [() => 'cannot travel'], { signal })),
    ])
    const wait = runner.wait(id, { timeout: Infinity, signal })
    latch.open()
    await wait
    await until('no listeners', () => getEventListeners(signal, 'abort').length === 0)
  })

  test('the signal of a wait ends that wait with its reason, and nothing else', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'went on'])
    await untilRunning(runner, id)
    const controller = new AbortController()
    const others = [end(runner, id), runner.wait(id), runner.wait(id, { signal: new AbortController().signal })]
    const wait = runner.wait(id, { timeout: Infinity, signal: controller.signal })
    const bounded = runner.wait(id, { timeout: 600_000, signal: controller.signal })
    const reason = new RangeError('the client went away')
    controller.abort(reason)
    assert.deepEqual(await Promise.all([thrownBy(wait), thrownBy(bounded)]), [reason, reason])
    assert.equal(await thrownBy(wait), reason)
    for (const other of others) assert.ok(await isPending(other))
    assert.deepEqual(await runner.wait(id, { timeout: 0 }), { finished: false, id, state: 'running' })
    await until('the others', async () => (await runner.stats()).waits === 3)
    latch.open()
    for (const status of await Promise.all(others)) assert.equal(valueOf(status), 'went on')
  })

  test('a wait whose signal had aborted before rejects with its reason', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'went on'])
    const reason = new RangeError('too late')
    const signal = AbortSignal.abort(reason)
    assert.equal(await thrownBy(runner.wait(id, { signal })), reason)
    assert.equal(await thrownBy(runner.wait(id, { signal, timeout: 0 })), reason)
    latch.open()
    assert.equal(valueOf(await end(runner, id)), 'went on')
  })

  test('a wait can be ended by AbortSignal.timeout', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const id = await begin(runner, 'hold', [latch.path, 'went on'])
    const thrown = await thrownBy(runner.wait(id, { timeout: Infinity, signal: AbortSignal.timeout(20) }))
    assert.ok(thrown instanceof DOMException && thrown.name === 'TimeoutError')
    latch.open()
    assert.equal(valueOf(await end(runner, id)), 'went on')
  })

  test('a wait with a signal that does not abort is answered as any other', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const { signal } = new AbortController()
    const id = await begin(runner, 'hold', [latch.path, 'done'])
    assert.equal((await runner.wait(id, { timeout: 10, signal })).finished, false)
    assert.equal((await runner.wait(id, { timeout: 0, signal })).finished, false)
    const answer = runner.wait(id, { timeout: Infinity, signal })
    latch.open()
    assert.equal(valueOf(await answer), 'done')
    assert.equal(valueOf(await runner.wait(id, { signal })), 'done')
  })
}
