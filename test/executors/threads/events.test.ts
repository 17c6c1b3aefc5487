import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { CallError, type CallFinished, type CallStarted } from '../../../src/index.ts'
import { awaitLatch, createLatch, openLatch } from '../../fixtures/threads/latch.ts'
import { commonRunner, endOf, within } from '../../fixtures/threads/harness.ts'

test('a call is told of when it is queued, when it starts and when it finishes, in that order', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  await runner.ready()
  const told: string[] = []
  const ids = new Set<string>()
  runner.on('queued', ({ fn, id }) => ids.add(id) && told.push(`queued ${fn}`))
  runner.on('started', ({ fn, id }) => ids.add(id) && told.push(`started ${fn}`))
  runner.on('finished', ({ fn, id, outcome }) => ids.add(id) && told.push(`finished ${fn} ${outcome.ok}`))
  runner.on('idle', () => told.push('idle'))
  await runner.call('add', [1, 2])
  deepEqual(told, ['queued add', 'started add', 'finished add true', 'idle'])
  equal(ids.size, 1)
})

test('a call that is long under way is told of as started while it runs', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  const began = Promise.withResolvers<CallStarted>()
  runner.on('started', (event) => began.resolve(event))
  const [started, release] = [createLatch(), createLatch()]
  const call = runner.call('hold', [started, release])
  const { fn, queueTime } = await within(10_000, began.promise, 'nothing is told')
  equal(fn, 'hold')
  ok(queueTime > 0)
  openLatch(release)
  await call
})

test('each of 500 calls of a batch is told of three times, and idle comes once', async (t) => {
  const runner = commonRunner(t, { threads: { max: 2 } })
  await runner.ready()
  const counts = { queued: 0, started: 0, finished: 0, idle: 0 }
  const begun = new Set<string>()
  runner.on('queued', () => (counts.queued += 1))
  runner.on('started', ({ id }) => {
    begun.add(id)
    counts.started += 1
  })
  runner.on('finished', ({ id }) => {
    ok(begun.has(id), 'a call finished before it had started')
    counts.finished += 1
  })
  runner.on('idle', () => (counts.idle += 1))
  await Promise.all(Array.from({ length: 500 }, (_, i) => runner.call('add', [i, 1])))
  deepEqual(counts, { queued: 500, started: 500, finished: 500, idle: 1 })
})

test('a call that never began is told of as finished, and not as started', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  const [started, release] = [createLatch(), createLatch()]
  const first = runner.call('hold', [started, release])
  await awaitLatch(started)
  const told: string[] = []
  const finished = Promise.withResolvers<CallFinished>()
  runner.on('started', ({ fn }) => told.push(fn))
  runner.once('finished', (event) => finished.resolve(event))
  const controller = new AbortController()
  const dropped = endOf(runner.call('noop', [], { signal: controller.signal }))
  controller.abort()
  await dropped
  const { fn, outcome, runTime, queueTime } = await finished.promise
  deepEqual([fn, outcome.ok, runTime], ['noop', false, 0])
  ok(queueTime >= 0)
  openLatch(release)
  await first
  deepEqual(told, [])
})

test('times of a finished call are how long it waited and how long it ran', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  await runner.ready()
  const events: CallFinished[] = []
  runner.on('finished', (event) => events.push(event))
  await Promise.all([runner.call('blockFor', [60]), runner.call('blockFor', [30])])
  const [first, second] = events
  ok(first && second)
  ok(first.runTime >= 59_000 && first.runTime < 1_000_000, `ran ${first.runTime} µs`)
  ok(second.queueTime >= 59_000 && second.queueTime < 1_000_000, `waited ${second.queueTime} µs`)
  ok(second.runTime >= 29_000 && second.runTime < 1_000_000, `ran ${second.runTime} µs`)

  const { queueTime, runTime } = runner.stats()
  deepEqual([queueTime.count, runTime.count], [2, 2])
  ok(runTime.max >= 59_000 && runTime.p99 <= runTime.max * 1.01 && runTime.p50 <= runTime.p99)
  ok(queueTime.max >= 59_000 && queueTime.p50 <= queueTime.p99)
})

test('after QUEUE_FULL, drain says when there is room again', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 }, queueLimit: 2 })
  let drained = 0
  const drain = Promise.withResolvers<void>()
  runner.on('drain', () => {
    drained += 1
    drain.resolve()
  })
  const release = createLatch()
  const latches = [createLatch(), createLatch(), createLatch()]
  const calls = latches.map((started) => runner.call('hold', [started, release]))
  const refused = await endOf(runner.call('noop', []))
  ok('error' in refused && refused.error instanceof CallError)
  deepEqual([refused.error.code, refused.error.retryable, refused.error.started], ['QUEUE_FULL', true, 'no'])
  equal(drained, 0)
  equal(runner.stats().total.admitted, 3)

  openLatch(release)
  await within(10_000, drain.promise, 'no drain comes')
  await runner.call('noop', [])
  await Promise.all(calls)
  equal(drained, 1)
})

test('without QUEUE_FULL there is no drain', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 }, queueLimit: 2 })
  let drained = 0
  runner.on('drain', () => (drained += 1))
  await Promise.all([runner.call('noop', []), runner.call('noop', []), runner.call('noop', [])])
  equal(drained, 0)
})

test('stats count what waits, what runs and what has ended', async (t) => {
  const runner = commonRunner(t, { threads: { max: 2 } })
  const release = createLatch()
  const latches = Array.from({ length: 2 }, createLatch)
  const running = latches.map((started) => runner.call('hold', [started, release]))
  await Promise.all(latches.map(awaitLatch))
  const waiting = Array.from({ length: 3 }, () => endOf(runner.call('boom', [])))

  const during = runner.stats()
  deepEqual(during.calls, { queued: 3, running: 2, finished: 0 })
  deepEqual(during.threads, { size: 2, busy: 2 })
  equal(during.waits, 5)
  openLatch(release)
  await Promise.all([...running, ...waiting])

  const after = runner.stats()
  deepEqual(after.calls, { queued: 0, running: 0, finished: 0 })
  deepEqual(after.total, { admitted: 5, succeeded: 2, failed: 3, expired: 0 })
  deepEqual([after.queueLength, after.waits, after.threads.busy], [0, 0, 0])
  deepEqual([after.queueTime.count, after.runTime.count], [5, 5])
})

test('a listener that was taken off hears nothing more', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  let heard = 0
  const listener = (): void => {
    heard += 1
  }
  runner.on('finished', listener)
  await runner.call('noop', [])
  runner.off('finished', listener)
  await runner.call('noop', [])
  equal(heard, 1)
})
