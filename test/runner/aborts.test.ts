import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import type { CallError } from '../../src/model/errors.ts'
import type { AbortCause } from '../../src/protocol/messages.ts'
import { Aborts, type AbortRequest } from '../../src/runner/aborts.ts'
import type { Call } from '../../src/table/call.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { newCall, type CallParts } from '../helpers/fake-executor.ts'

interface SetUp {
  clock: FakeClock
  aborts: Aborts
  /** What was done to which call, in order, and when, counted from the beginning. */
  steps: [step: 'drop' | 'interrupt' | 'kill', seq: number, at: number][]
  causes: AbortCause[]
  start: number
  /** Sends a call: from now on its function may begin. */
  send: (facts?: CallParts) => Call
  begin: (call: Call) => void
  run: (facts?: CallParts) => Call
}

function setUp({ onInterrupt = (_call: Call): void => undefined } = {}): SetUp {
  const clock = new FakeClock()
  const start = clock.now()
  const steps: SetUp['steps'] = []
  const causes: AbortCause[] = []
  const note = (step: SetUp['steps'][number][0], call: Call): void => {
    steps.push([step, call.seq, clock.now() - start])
  }
  const aborts = new Aborts(clock, {
    hasEnded: (call) => call.outcome !== undefined,
    drop: (call) => {
      if (call.place?.startedAt !== undefined) return false
      note('drop', call)
      return true
    },
    interrupt: (call, cause) => {
      causes.push(cause)
      note('interrupt', call)
      onInterrupt(call)
    },
    kill: (call) => note('kill', call),
  })
  const send = (facts: CallParts = {}): Call => {
    const call = newCall({ admittedAt: clock.now(), ...facts })
    call.place = { cpid: 1, startedAt: undefined }
    aborts.watch(call)
    return call
  }
  const begin = (call: Call): void => {
    call.place = { cpid: 1, startedAt: clock.now() }
  }
  const run = (facts?: CallParts): Call => {
    const call = send(facts)
    begin(call)
    return call
  }
  return { clock, aborts, steps, causes, start, send, begin, run }
}

function cancelled(grace: number, reason?: unknown): AbortRequest {
  return { code: 'ABORTED', reason, grace }
}

function essence({ code, step, started, cause }: CallError): object {
  return { code, step, started, cause }
}

test('a call that has not begun is dropped, and that is its end', () => {
  const { clock, aborts, steps } = setUp()
  const error = aborts.abort(newCall(), cancelled(500, 'no longer needed'))
  ok(error)
  deepEqual(essence(error), { code: 'ABORTED', step: 'queued', started: 'no', cause: 'no longer needed' })
  deepEqual([steps, clock.pending], [[['drop', 1, 0]], 0])
})

test('a call that runs is asked to end, and killed when its grace is over', async () => {
  const { clock, aborts, steps, causes, run } = setUp()
  const call = run()
  equal(aborts.abort(call, cancelled(500, 'no longer needed')), undefined)
  deepEqual(steps, [['interrupt', 1, 0]])
  deepEqual(causes, [{ name: 'AbortError', message: 'no longer needed' }])
  await clock.advance(499)
  equal(steps.length, 1)
  await clock.advance(1)
  deepEqual(steps.slice(1), [['kill', 1, 500]])
  await clock.advance(10_000)
  equal(steps.length, 2)
})

test('a call that ends in its grace time is not killed', async () => {
  const { clock, aborts, steps, run } = setUp()
  const call = run({ abortAfter: 100 })
  aborts.abort(call, cancelled(500))
  aborts.ended(call)
  equal(clock.pending, 0)
  await clock.advance(10_000)
  deepEqual(steps, [['interrupt', 1, 0]])
})

test('without grace a call is killed at once, after it was asked', () => {
  const { clock, aborts, steps, run } = setUp()
  aborts.abort(run(), cancelled(0))
  deepEqual(steps, [
    ['interrupt', 1, 0],
    ['kill', 1, 0],
  ])
  equal(clock.pending, 0)
})

test('with endless grace a call is never killed', async () => {
  const { clock, aborts, steps, run } = setUp()
  aborts.abort(run(), cancelled(Infinity))
  equal(clock.pending, 0)
  await clock.advance(2 ** 40)
  deepEqual(steps, [['interrupt', 1, 0]])
})

test('a second abort with a shorter grace brings the kill forward', async () => {
  const { clock, aborts, steps, run } = setUp()
  const call = run()
  aborts.abort(call, cancelled(1_000))
  await clock.advance(100)
  aborts.abort(call, cancelled(200))
  await clock.advance(10_000)
  // It is not asked twice.
  deepEqual(steps, [
    ['interrupt', 1, 0],
    ['kill', 1, 300],
  ])
  equal(clock.pending, 0)
})

test('a second abort without grace kills at once, also after one with endless grace', async () => {
  const { clock, aborts, steps, run } = setUp()
  const call = run()
  aborts.abort(call, cancelled(Infinity))
  await clock.advance(100)
  aborts.abort(call, cancelled(0))
  deepEqual(steps, [
    ['interrupt', 1, 0],
    ['kill', 1, 100],
  ])
  await clock.advance(10_000)
  equal(steps.length, 2)
})

test('a second abort with a longer grace changes nothing', async () => {
  const { clock, aborts, steps, run } = setUp()
  const call = run()
  aborts.abort(call, cancelled(300))
  await clock.advance(100)
  aborts.abort(call, cancelled(10_000))
  aborts.abort(call, cancelled(Infinity))
  await clock.advance(200)
  deepEqual(steps.at(-1), ['kill', 1, 300])
  equal(clock.pending, 0)
})

test('the first reason stands', () => {
  const { aborts, run } = setUp()
  const call = run()
  aborts.abort(call, cancelled(300, 'first'))
  aborts.abort(call, cancelled(100, 'second'))
  equal(aborts.explain(call, 'cooperative', { startedAt: 0, endedAt: Infinity })?.cause, 'first')
})

test('a call that ends as it is asked to leaves no timer behind', () => {
  const { clock, aborts, steps, run } = setUp({ onInterrupt: (call) => aborts.ended(call) })
  const call = run()
  aborts.abort(call, cancelled(500))
  equal(clock.pending, 0)
  aborts.abort(run({ seq: 2 }), cancelled(0))
  deepEqual(steps, [
    ['interrupt', 1, 0],
    ['interrupt', 2, 0],
  ])
})

test('a call that had ended before it was aborted did not end because of that', () => {
  const { aborts, clock, run } = setUp()
  const call = run()
  const endedAt = clock.now() - 1
  aborts.abort(call, cancelled(300))
  equal(aborts.explain(call, 'cooperative', { startedAt: 0, endedAt }), undefined)
  equal(aborts.explain(call, 'cooperative', { startedAt: 0, endedAt: clock.now() })?.code, 'ABORTED')
})

test('what ended a call is told from what was asked and how it ended', () => {
  const { aborts, run } = setUp()
  const [call, other] = [run(), run({ seq: 2 })]
  const reason = new Error('too slow')
  aborts.abort(call, cancelled(300, reason))
  const asked = aborts.explain(
    call,
    'cooperative',
    { startedAt: 0, endedAt: Infinity },
    new Error('I was told to stop'),
  )
  ok(asked)
  deepEqual(essence(asked), { code: 'ABORTED', step: 'cooperative', started: 'yes', cause: reason })
  equal(aborts.explain(call, 'killed', { startedAt: 0, endedAt: Infinity })?.step, 'killed')
  equal(aborts.explain(other, 'killed', { startedAt: 0, endedAt: Infinity }), undefined)
})

test('whether a killed call had begun is unknown when nobody told', () => {
  const { aborts, run } = setUp()
  const call = run()
  aborts.abort(call, cancelled(0))
  equal(aborts.explain(call, 'killed', { endedAt: Infinity })?.started, 'unknown')
  equal(aborts.explain(call, 'killed', { startedAt: 0, endedAt: Infinity })?.started, 'yes')
})

test('without a reason the cause is what the function threw', () => {
  const { aborts, run } = setUp()
  const [call, other] = [run(), run({ seq: 2 })]
  const thrown = new Error('I was told to stop')
  aborts.abort(call, cancelled(300))
  equal(aborts.explain(call, 'cooperative', { startedAt: 0, endedAt: Infinity }, thrown)?.cause, thrown)
  aborts.abort(other, cancelled(300))
  const killed = aborts.explain(other, 'killed', { startedAt: 0, endedAt: Infinity })
  ok(killed && !('cause' in killed))
})

test('nothing is known of an abort once its call has ended', () => {
  const { aborts, run } = setUp()
  const call = run()
  aborts.abort(call, cancelled(300))
  aborts.ended(call)
  equal(aborts.explain(call, 'killed', { startedAt: 0, endedAt: Infinity }), undefined)
})

test('a call that runs longer than its abortAfter is asked to end, then killed after its grace', async () => {
  const { clock, aborts, steps, causes, run } = setUp()
  const call = run({ abortAfter: 1_000, grace: 200 })
  await clock.advance(999)
  deepEqual(steps, [])
  await clock.advance(1)
  deepEqual(steps, [['interrupt', 1, 1_000]])
  deepEqual(causes, [{ name: 'TimeoutError', message: 'ran longer than its abortAfter of 1000 ms' }])
  await clock.advance(200)
  deepEqual(steps.slice(1), [['kill', 1, 1_200]])
  const error = aborts.explain(call, 'killed', { startedAt: 0, endedAt: Infinity })
  ok(error)
  deepEqual(essence(error), { code: 'DEADLINE_EXCEEDED', step: 'killed', started: 'yes', cause: undefined })
  equal(clock.pending, 0)
})

test('abortAfter counts from when the function begins, whenever that is after the call was sent', async () => {
  for (const wait of [1, 40, 99, 100, 101, 250, 1_000]) {
    const { clock, steps, send, begin } = setUp()
    const call = send({ abortAfter: 100, grace: 10 })
    await clock.advance(wait)
    deepEqual(steps, [], 'a call that has not begun is not too late, however long ago it was sent')
    begin(call)
    await clock.advance(99)
    deepEqual(steps, [])
    await clock.advance(1_000)
    deepEqual(steps, [
      ['interrupt', 1, wait + 100],
      ['kill', 1, wait + 110],
    ])
    equal(clock.pending, 0)
  }
})

test('the time in the queue does not count towards abortAfter', async () => {
  const { clock, aborts, steps } = setUp()
  const call = newCall({ abortAfter: 100, admittedAt: clock.now() })
  await clock.advance(10_000)
  deepEqual([steps, clock.pending], [[], 0])
  call.place = { cpid: 1, startedAt: undefined }
  aborts.watch(call)
  call.place = { cpid: 1, startedAt: clock.now() }
  await clock.advance(99)
  deepEqual(steps, [])
  await clock.advance(1)
  deepEqual(steps, [['interrupt', 1, 10_100]])
})

test('a call that was taken back is timed from its next beginning', async () => {
  for (const back of [30, 150]) {
    const { clock, aborts, steps, send, begin } = setUp()
    const call = send({ abortAfter: 100, grace: 0 })
    await clock.advance(50)
    call.place = undefined
    await clock.advance(back)
    call.place = { cpid: 2, startedAt: undefined }
    aborts.watch(call)
    await clock.advance(20)
    begin(call)
    await clock.advance(1_000)
    deepEqual(steps, [
      ['interrupt', 1, 170 + back],
      ['kill', 1, 170 + back],
    ])
    equal(clock.pending, 0)
  }
})

test('a call that was taken back and waits in the queue again is not watched', async () => {
  const { clock, steps, send } = setUp()
  const call = send({ abortAfter: 100 })
  call.place = undefined
  await clock.advance(1_000)
  deepEqual([steps, clock.pending], [[], 0])
})

test('a call that is sent twice has one timer', () => {
  const { clock, aborts, send } = setUp()
  const call = send({ abortAfter: 100 })
  aborts.watch(call)
  equal(clock.pending, 1)
  aborts.ended(call)
  equal(clock.pending, 0)
})

test('a call without abortAfter has no timer', () => {
  const { clock, run } = setUp()
  run()
  equal(clock.pending, 0)
})

test('a call that ends in time leaves no timer', async () => {
  const { clock, aborts, steps, run } = setUp()
  const call = run({ abortAfter: 100 })
  await clock.advance(99)
  aborts.ended(call)
  equal(clock.pending, 0)
  await clock.advance(1_000)
  deepEqual(steps, [])
})

test('a deadline that comes in the grace time of a cancel can bring the kill forward, and does not ask again', async () => {
  const { clock, aborts, steps, run } = setUp()
  const call = run({ abortAfter: 100, grace: 50 })
  await clock.advance(80)
  aborts.abort(call, cancelled(10_000, 'no longer needed'))
  await clock.advance(10_000)
  deepEqual(steps, [
    ['interrupt', 1, 80],
    ['kill', 1, 150],
  ])
  equal(aborts.explain(call, 'killed', { startedAt: 0, endedAt: Infinity })?.code, 'ABORTED')
})

test('a reason that is no string is described to the function', () => {
  const { aborts, causes, run } = setUp()
  aborts.abort(run(), cancelled(0, new Error('why')))
  aborts.abort(run(), cancelled(0, { code: 7 }))
  aborts.abort(run(), cancelled(0))
  deepEqual(
    causes.map(({ message }) => message),
    ['why', '{ code: 7 }', 'the call was cancelled'],
  )
})
