import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallEvent, CallFinished, Runner, RunnerEvents } from '../../src/index.ts'
import { until } from '../helpers/latch.ts'
import { begin, end, errorOf, thrownBy, untilRunning, valueOf } from './answers.ts'
import type { Calls, Suite } from './place.ts'

type CallEventName = { [E in keyof RunnerEvents]: RunnerEvents[E] extends [CallEvent] ? E : never }[keyof RunnerEvents]

const CALL_EVENTS: readonly CallEventName[] = ['queued', 'started', 'progress', 'finished', 'expired']

/** Writes down every event of a call, as `name fn`, by the call's ID. */
function record(runner: Runner<Calls>): Map<string, string[]> {
  const seen = new Map<string, string[]>()
  for (const name of CALL_EVENTS) {
    runner.on(name, ({ id, fn }: CallEvent) => {
      seen.set(id, [...(seen.get(id) ?? []), `${name} ${fn}`])
    })
  }
  return seen
}

async function untilFinished(seen: Map<string, string[]>, count: number): Promise<void> {
  await until('the end', () => [...seen.values()].flat().filter((each) => each.startsWith('finished')).length === count)
}

export function eventRules(suite: Suite): void {
  test('a call is queued, started, makes progress and is finished, in this order', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const seen = record(runner)
    const latch = posts.latch()
    const id = await begin(runner, 'report', [['half', 'nearly'], latch.path])
    latch.open()
    await end(runner, id)
    await untilFinished(seen, 1)
    const expected = ['queued report', 'started report', 'progress report', 'progress report', 'finished report']
    assert.deepEqual([...seen], [[id, expected]])
  })

  test('the quickest of calls has all of its events too, each once', async (t) => {
    const { runner } = await suite.setUp(t)
    const seen = record(runner)
    await Promise.all(Array.from({ length: suite.many(100) }, (_, i) => runner.call('add', [i, 1])))
    await untilFinished(seen, suite.many(100))
    assert.equal(seen.size, suite.many(100))
    for (const events of seen.values()) assert.deepEqual(events, ['queued add', 'started add', 'finished add'])
  })

  test('a call that was dropped in the queue has not started', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    const ahead = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, ahead)
    const seen = record(runner)
    const finished = new Promise<CallFinished>((resolve) => runner.once('finished', resolve))
    const id = await begin(runner, 'add', [1, 2])
    await runner.cancel(id)
    const { outcome, runTime, queueTime } = await finished
    assert.ok(!outcome.ok)
    assert.equal(outcome.error.step, 'queued')
    assert.equal(runTime, 0)
    assert.ok(queueTime >= 0)
    assert.deepEqual(seen.get(id), ['queued add', 'finished add'])
    latch.open()
  })

  test('finished tells the outcome', async (t) => {
    const { runner } = await suite.setUp(t)
    const outcomes: unknown[] = []
    runner.on('finished', ({ outcome }) => outcomes.push(outcome.ok ? outcome.value : outcome.error.code))
    await runner.call('echo', [new Map([['a', 1n]])])
    await thrownBy(runner.call('fail', ['builtIn']))
    await until('both', () => outcomes.length === 2)
    assert.deepEqual(outcomes, [new Map([['a', 1n]]), 'FUNCTION_THREW'])
  })

  test('started and finished tell how long the call waited and ran, in microseconds', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const [first, second] = [posts.latch(), posts.latch()]
    const ahead = await begin(runner, 'hold', [first.path])
    const queueTimes: number[] = []
    const events: CallFinished[] = []
    runner.on('started', ({ fn, queueTime }) => fn === 'echo' || queueTimes.push(queueTime))
    runner.on('finished', (event) => events.push(event))
    const id = await begin(runner, 'hold', [second.path])
    await runner.wait(ahead, { timeout: 50 })
    first.open()
    await untilRunning(runner, id)
    await runner.wait(id, { timeout: 60 })
    second.open()
    await end(runner, id)
    await until('both', () => events.length === 2)
    const event = events.find((each) => each.id === id)
    assert.ok(event)
    assert.ok(event.queueTime >= 48_000 && event.queueTime < 60_000_000, `${event.queueTime} µs`)
    assert.ok(event.runTime >= 58_000 && event.runTime < 60_000_000, `${event.runTime} µs`)
    assert.equal(queueTimes.at(-1), event.queueTime)
  })

  test('by the ID of an event a call under way can be asked for', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const queued = new Promise<CallEvent>((resolve) => runner.once('queued', resolve))
    const answer = runner.call('hold', [latch.path, 'value'])
    const { id } = await queued
    assert.equal((await runner.wait(id, { timeout: 1 })).finished, false)
    latch.open()
    assert.equal(await answer, 'value')
    assert.equal(valueOf(await runner.wait(id)), 'value')
  })

  test('an outcome that is dropped for its age is told of as expired', async (t) => {
    const { runner } = await suite.setUp(t)
    const seen = record(runner)
    // Where the news of its end takes long, that is to come before its time is over.
    const retain = suite.capabilities.quickCalls ? 20 : 1_000
    const status = await runner.start('add', [1, 2], { retain })
    assert.ok(status.id !== undefined)
    const id = status.id
    await until('expired', () => seen.get(id)?.at(-1) === 'expired add')
    assert.equal((await runner.stats()).total.expired, 1)
  })

  test('an outcome that is dropped for retainLimit is told of as expired', async (t) => {
    const { runner } = await suite.setUp(t, { retainLimit: 1 })
    const expired: string[] = []
    runner.on('expired', ({ id }) => expired.push(id))
    const first = await runner.start('add', [1, 2], { retain: 600_000 })
    await runner.start('add', [1, 2], { retain: 600_000 })
    await until('expired', () => expired.length > 0)
    assert.deepEqual(expired, [first.id])
  })

  test('neither a call that is forgotten nor one that was not kept expires', async (t) => {
    const { runner } = await suite.setUp(t)
    const seen = record(runner)
    const id = await begin(runner, 'add', [1, 2])
    await end(runner, id)
    await runner.forget(id)
    await runner.call('add', [1, 2])
    await runner.start('add', [1, 2], { retain: 0 })
    await untilFinished(seen, 3)
    assert.ok([...seen.values()].flat().every((each) => !each.startsWith('expired')))
    assert.equal((await runner.stats()).total.expired, 0)
  })

  test('idle tells that the last call under way ended', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    let idle = 0
    runner.on('idle', () => {
      idle += 1
    })
    const ids = [await begin(runner, 'hold', [latch.path]), await begin(runner, 'hold', [latch.path])]
    latch.open()
    await Promise.all(ids.map((id) => end(runner, id)))
    await until('idle', () => idle > 0)
    assert.equal(idle, 1)
    await runner.call('add', [1, 2])
    await until('idle', () => idle > 1)
    assert.equal(idle, 2)
  })

  test('once hears one event, off hears none any more, and each gives the runner', async (t) => {
    const { runner } = await suite.setUp(t)
    const heard: string[] = []
    const listener = (): void => void heard.push('off')
    assert.equal(
      runner.once('finished', () => heard.push('once')),
      runner,
    )
    assert.equal(runner.on('finished', listener), runner)
    await runner.call('add', [1, 2])
    await until('both', () => heard.length === 2)
    assert.equal(runner.off('finished', listener), runner)
    const finished = new Promise((resolve) => runner.on('finished', resolve))
    await runner.call('add', [1, 2])
    await finished
    assert.deepEqual(heard.toSorted(), ['off', 'once'])
  })

  test('all listeners hear an event', async (t) => {
    const { runner } = await suite.setUp(t)
    const heard = new Set<number>()
    for (let i = 0; i < 20; i++) runner.on('finished', () => heard.add(i))
    await runner.call('add', [1, 2])
    await until('all', () => heard.size === 20)
  })

  test('a listener may cancel the call that it hears is queued', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const [latch, trail] = [posts.latch(), posts.trail()]
    const ahead = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, ahead)
    runner.once('queued', ({ id }) => void runner.cancel(id, { grace: 600_000 }))
    const byId = runner.start('leave', [trail.path, 'ran'], { timeout: Infinity })
    const error = errorOf(await byId, 'ABORTED')
    assert.equal(error.step, 'queued')
    const controller = new AbortController()
    runner.once('queued', () => controller.abort())
    const options = { timeout: Infinity, signal: controller.signal, grace: 600_000 }
    const bySignal = await runner.start('leave', [trail.path, 'ran'], options)
    assert.equal(errorOf(bySignal, 'ABORTED').step, 'queued')
    latch.open()
    await runner.call('add', [1, 2])
    assert.deepEqual(trail.read(), [])
  })

  test('a listener may start, cancel and forget calls', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    const value = new Promise((resolve, reject) => {
      runner.once('finished', ({ id }) => {
        runner
          .forget(id)
          .then(() => runner.call('add', [1, 2]))
          .then(resolve, reject)
      })
    })
    const id = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, id)
    await runner.cancel(id, { grace: 0 })
    assert.equal(await value, 3)
  })
}
