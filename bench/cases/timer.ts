import { ALL } from '../contenders/contenders.ts'
import { TIMES, type Case } from '../harness/case.ts'
import { underLoad } from '../harness/load.ts'

/** Functions that wait for something else than a processor, side by side. */
export const timer: Case = {
  title: 'An async function with a timer of 1 ms, 64 in flight',
  contenders: ALL,
  figures: {
    rate: { title: 'rate', unit: 'calls/s', better: 'higher' },
    p50: { title: 'p50', unit: 'µs', better: 'lower' },
    p99: { title: 'p99', unit: 'µs', better: 'lower' },
  },
  async measure(create, effort) {
    const contender = await create({ workers: 2, concurrency: 32 })
    const load = { inFlight: 64, ...TIMES[effort] }
    const { rate, p50, p99 } = await underLoad(() => contender.call('timer', 1), load)
    await contender.close()
    return { rate, p50, p99 }
  },
}
