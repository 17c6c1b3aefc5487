import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { StartFailures } from '../../src/executors/start-failures.ts'
import { CallError } from '../../src/model/errors.ts'
import { FakeClock } from '../helpers/fake-clock.ts'

/** Milliseconds that no pause takes. */
const NEVER = 100_000

function setUp(): { failures: StartFailures; failAndWait: () => number } {
  const clock = new FakeClock()
  const failures = new StartFailures(clock)
  return {
    failures,
    /** Milliseconds until a thread may be started again. */
    failAndWait: () => {
      failures.failed(spawnFailed())
      const failedAt = clock.now()
      while (failures.reasonToPause && clock.now() - failedAt < NEVER) clock.skip(1)
      return clock.now() - failedAt
    },
  }
}

function spawnFailed(message = 'no thread could be made ready'): CallError {
  return new CallError('SPAWN_FAILED', message)
}

test('a thread may be started when none has failed to', () => {
  const { failures } = setUp()
  deepEqual([failures.reasonToPause, failures.count], [undefined, 0])
})

test('each failure doubles the pause, up to half a minute', () => {
  const { failures, failAndWait } = setUp()
  const pauses = Array.from({ length: 12 }, failAndWait)
  deepEqual(pauses, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000])
  equal(failures.count, 12)
})

test('the pause stays half a minute after any number of failures', () => {
  const { failures, failAndWait } = setUp()
  for (let i = 0; i < 5_000; i++) failures.failed(spawnFailed())
  equal(failAndWait(), 30_000)
})

test('after a success the pauses begin again with the first one', () => {
  const { failures, failAndWait } = setUp()
  deepEqual([failAndWait(), failAndWait()], [100, 200])
  failures.succeeded()
  equal(failures.count, 0)
  deepEqual([failAndWait(), failAndWait()], [100, 200])
  equal(failures.count, 2)
})

test('a success ends the pause at once', () => {
  const { failures } = setUp()
  failures.failed(spawnFailed())
  failures.succeeded()
  equal(failures.reasonToPause, undefined)
})

test('the reason to pause is the last failure', () => {
  const { failures } = setUp()
  const [first, last] = [spawnFailed('first'), spawnFailed('last')]
  failures.failed(first)
  equal(failures.reasonToPause, first)
  failures.failed(last)
  equal(failures.reasonToPause, last)
})
