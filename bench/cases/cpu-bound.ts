import { ON_THREADS } from '../contenders/contenders.ts'
import type { Case } from '../harness/case.ts'

const WORKERS = 2
/** Milliseconds of work in all. */
const WORK = { full: 1_200, short: 400 }

/** How much longer than it must it takes until all of many calls have ended, each of `ms` milliseconds. */
export function cpuBound(ms: number): Case {
  return {
    title: `Calls that need a processor for ${ms} ms, on ${WORKERS} threads`,
    contenders: ON_THREADS,
    figures: { makespan: { title: 'makespan', unit: '× the ideal', better: 'lower' } },
    async measure(create, effort) {
      const contender = await create({ workers: WORKERS })
      const count = Math.round(WORK[effort] / ms)
      const run = async (calls: number): Promise<number> => {
        const began = performance.now()
        await Promise.all(Array.from({ length: calls }, () => contender.call('spin', ms)))
        return performance.now() - began
      }
      await run(Math.ceil(count / 4))
      const took = await run(count)
      await contender.close()
      return { makespan: took / ((count * ms) / WORKERS) }
    },
  }
}
