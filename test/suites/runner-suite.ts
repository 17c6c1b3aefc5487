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

const GROUPS = {
  'start and wait': startAndWaitRules,
  timeouts: timeoutRules,
  'retain and forget': retainRules,
  list: listRules,
  'the queue': queueRules,
  idempotencyKey: idempotencyRules,
  cancel: abortRules,
  abortAfter: deadlineRules,
  signal: abortSignalRules,
  races: raceRules,
  values: valueRules,
  'values that cannot travel': uncloneableRules,
  functions: functionRules,
  'what functions throw': thrownRules,
  crashes: crashRules,
  currentCall: currentCallRules,
  events: eventRules,
  stats: statsRules,
  close: closeRules,
}

export type RuleGroup = keyof typeof GROUPS

/**
 * What every place to run promises: the rules of the `Runner` interface.
 *
 * A place's own test says how a runner is made there, and what the place cannot do.
 *
 * @param groups for a place that differs from another in little. Default: all.
 */
export function runnerSuite(place: Place, groups = Object.keys(GROUPS) as RuleGroup[]): void {
  const suite = new Suite(place)
  for (const group of groups) describe(group, limits, () => GROUPS[group](suite))
}
