import type { Case, Figures } from '../../bench/harness/case.ts'
import type { Machine } from '../../bench/harness/machine.ts'
import type { Measured } from '../../bench/harness/rounds.ts'

export const LATENCY: Case = {
  title: 'A case of "no" & <more>',
  contenders: ['piscina', 'coatcheck call'],
  figures: {
    p50: { title: 'p50', unit: 'µs', better: 'lower' },
    rate: { title: 'rate', unit: 'calls/s', better: 'higher' },
  },
  measure: () => Promise.reject(new Error('is not measured here')),
}

export const MACHINE: Machine = {
  date: '2026-02-03T04:05:06.000Z',
  node: 'v24.1.0',
  v8: '13.6',
  system: 'linux 6 x64',
  processor: 'A processor',
  processors: 2,
  memory: 8 * 1024 ** 3,
  commit: 'abc1234',
  versions: { piscina: '5.0.0' },
}

/** What a contender gave in rounds of which the middle one is the median. */
export function measured(contender: Measured['contender'], ...rounds: Figures[]): Measured {
  return { contender, rounds, medians: rounds[Math.floor(rounds.length / 2)] ?? {} }
}
