import { describe } from 'node:test'
import { abortRules } from './abort.ts'
import { abortSignalRules } from './abort-signal.ts'
import { closeRules } from './close.ts'
import { crashRules } from './crashes.ts'
import { currentCallRules } from './current-call.ts'
import { deadlineRules } from './deadline.ts'
import { eventRules } from './events.ts'
import { functionRules } from './functions.ts'
import { idempotencyRules } from './idempotency.ts'
import { listRules } from './list.ts'
import { Suite, type Place } from './place.ts'
import { queueRules } from './queue.ts'
import { raceRules } from './races.ts'
import { retainRules } from './retain.ts'
import { startAndWaitRules } from './start-and-wait.ts'
import { statsRules } from './stats.ts'
import { thrownRules } from './thrown.ts'
import { timeoutRules } from './timeouts.ts'
import { uncloneableRules } from './uncloneable.ts'
import { valueRules } from './values.ts'

/** Far above what a group needs: for a call that hangs. */
const limits = { timeout: 180_000 }

/**
 * What every place to run promises: the rules of the `Runner` interface.
 *
 * A place's own test says how a runner is made there, and what the place cannot do.
 */
export function runnerSuite(place: Place): void {
  const suite = new Suite(place)
  describe('start and wait', limits, () => startAndWaitRules(suite))
  describe('timeouts', limits, () => timeoutRules(suite))
  describe('retain and forget', limits, () => retainRules(suite))
  describe('list', limits, () => listRules(suite))
  describe('the queue', limits, () => queueRules(suite))
  describe('idempotencyKey', limits, () => idempotencyRules(suite))
  describe('cancel', limits, () => abortRules(suite))
  describe('abortAfter', limits, () => deadlineRules(suite))
  describe('signal', limits, () => abortSignalRules(suite))
  describe('races', limits, () => raceRules(suite))
  describe('values', limits, () => valueRules(suite))
  describe('values that cannot travel', limits, () => uncloneableRules(suite))
  describe('functions', limits, () => functionRules(suite))
  describe('what functions throw', limits, () => thrownRules(suite))
  describe('crashes', limits, () => crashRules(suite))
  describe('currentCall', limits, () => currentCallRules(suite))
  describe('events', limits, () => eventRules(suite))
  describe('stats', limits, () => statsRules(suite))
  describe('close', limits, () => closeRules(suite))
}
