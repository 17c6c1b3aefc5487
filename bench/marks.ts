import type { ContenderName } from './contenders/contenders.ts'

/** What a figure must be, held against another of the same run. */
export interface Mark {
  case: string
  figure: string
  contender: ContenderName
  /** A contender, the best of several, or an amount of the figure's unit. */
  against: ContenderName | readonly ContenderName[] | Amount
  /** How many times that it should be: at least where more is better, at most where less is. */
  goal?: number
  /**
   * The same for the check of every commit, with room for the noise of a busy machine and for where the goal is not reached
   * yet. Left out where a short measurement says nothing.
   */
  check?: number
}

interface Amount {
  name: string
  value: number
}

const OTHERS: readonly ContenderName[] = [
  'postMessage',
  'piscina',
  'tinypool threads',
  'tinypool child_process',
  'workerpool thread',
  'workerpool process',
  'poolifier',
  'jest-worker',
]
/** The pools among them that are nearest: as good to check as all, in less time. */
const FASTEST_POOLS: readonly ContenderName[] = ['poolifier', 'jest-worker']

const IDEAL: Amount = { name: 'the ideal', value: 1 }
const SLOW_CALL: Amount = { name: 'the 200 ms of the slow call', value: 200 }
const FIVE_MILLISECONDS: Amount = { name: '5 ms', value: 5 }
const KILOBYTE: Amount = { name: '1 KB', value: 1_024 }
const NOTHING: Amount = { name: 'a thousandth of a processor', value: 1 }
/** The least that can be left of each. */
const POINTER: Amount = { name: '8 bytes, a pointer', value: 8 }

// One a line, so that they can be read as a table.
// prettier-ignore
export const MARKS: readonly Mark[] = [
  { case: 'in-flight-64', figure: 'rate', contender: 'coatcheck call', against: 'piscina', goal: 10, check: 4 },
  { case: 'in-flight-64', figure: 'rate', contender: 'coatcheck call', against: OTHERS, goal: 1 },
  { case: 'in-flight-64', figure: 'rate', contender: 'coatcheck call', against: FASTEST_POOLS, check: 1 },
  { case: 'in-flight-64', figure: 'rate', contender: 'coatcheck start', against: 'coatcheck call', goal: 0.8, check: 0.65 },
  { case: 'one-at-a-time', figure: 'p50', contender: 'coatcheck call', against: 'piscina', goal: 0.5, check: 0.7 },
  { case: 'one-at-a-time', figure: 'p50', contender: 'coatcheck start', against: 'coatcheck call', goal: 1.25, check: 1.5 },
  { case: 'copied-buffer', figure: 'rate', contender: 'coatcheck call', against: 'piscina', goal: 1, check: 0.6 },
  { case: 'moved-buffer', figure: 'rate', contender: 'coatcheck call', against: 'piscina', goal: 1, check: 0.5 },
  { case: 'cpu-bound-10ms', figure: 'makespan', contender: 'coatcheck call', against: IDEAL, goal: 1.05, check: 1.2 },
  { case: 'one-slow', figure: 'p99', contender: 'coatcheck call', against: SLOW_CALL, goal: 0.05, check: 0.1 },
  { case: 'isolated', figure: 'p50', contender: 'coatcheck spare', against: 'bare Node', goal: 0.07, check: 0.2 },
  { case: 'large-host', figure: 'mostOfItsOwn', contender: 'coatcheck spare', against: FIVE_MILLISECONDS, goal: 1 },
  { case: 'http', figure: 'rate', contender: 'coatcheck over HTTP', against: 'bare Fastify', goal: 0.5, check: 0.2 },
  { case: 'http-held', figure: 'p99', contender: 'coatcheck over HTTP', against: FIVE_MILLISECONDS, goal: 1, check: 3 },
  { case: 'kept-calls', figure: 'memory', contender: 'coatcheck start', against: KILOBYTE, goal: 1, check: 1 },
  { case: 'many-waits', figure: 'memory', contender: 'coatcheck start', against: POINTER, goal: 1 },
  { case: 'queue', figure: 'p50', contender: 'coatcheck queue', against: 'bare BullMQ', goal: 1.2 },
  { case: 'queue', figure: 'rate', contender: 'coatcheck queue', against: 'bare BullMQ', goal: 0.9 },
  { case: 'idle', figure: 'used', contender: 'coatcheck call', against: NOTHING, goal: 1, check: 5 },
]
