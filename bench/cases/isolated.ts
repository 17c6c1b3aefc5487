import type { Case } from '../harness/case.ts'
import { loadCase } from '../harness/load-case.ts'
import { percentiles } from '../harness/percentiles.ts'

/** Milliseconds of calls and of what is waited for between them, and calls at least. */
const TIMES = { full: 2_000, short: 800 }
const LEAST = 10

/**
 * What a caller waits for a call in a process, when all that is kept ready is there: with coatcheck a process of its own,
 * started for it or kept ready, or one that serves many calls, as in the pools.
 */
export const isolated: Case = {
  title: 'A no-op in a process, now and then',
  contenders: [
    'coatcheck cold',
    'coatcheck spare',
    'coatcheck reuse',
    'tinypool child_process',
    'workerpool process',
    'bare Node',
  ],
  reference: 'bare Node',
  figures: {
    p50: { title: 'p50', unit: 'ms', better: 'lower' },
    p99: { title: 'p99', unit: 'ms', better: 'lower' },
  },
  async measure(create, effort) {
    const contender = await create({ workers: 1 })
    await contender.call('noop')
    const samples: number[] = []
    for (const until = performance.now() + TIMES[effort]; performance.now() < until || samples.length < LEAST;) {
      await contender.ready?.()
      const began = performance.now()
      await contender.call('noop')
      samples.push(performance.now() - began)
    }
    await contender.close()
    return percentiles(Float64Array.from(samples), { p50: 0.5, p99: 0.99 })
  },
}

/** What a process that serves many calls makes of them. */
export const isolatedReuse = loadCase({
  title: 'A no-op in a process that serves many, one at a time',
  contenders: ['coatcheck reuse', 'tinypool child_process', 'workerpool process'],
  reference: 'tinypool child_process',
  options: { workers: 1 },
  inFlight: 1,
  call: (contender) => contender.call('noop'),
})
