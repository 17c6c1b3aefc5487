import { ALL } from '../contenders/contenders.ts'
import { TIMES, type Case } from '../harness/case.ts'
import { underLoad } from '../harness/load.ts'

/** What a call costs when nothing else is under way. */
export const oneAtATime: Case = {
  title: 'A no-op, one at a time',
  contenders: ALL,
  figures: {
    p50: { title: 'p50', unit: 'µs', better: 'lower' },
    p99: { title: 'p99', unit: 'µs', better: 'lower' },
    p999: { title: 'p99.9', unit: 'µs', better: 'lower' },
  },
  async measure(create, effort) {
    const contender = await create({ workers: 1 })
    const { p50, p99, p999 } = await underLoad(() => contender.call('noop'), { inFlight: 1, ...TIMES[effort] })
    await contender.close()
    return { p50, p99, p999 }
  },
}
