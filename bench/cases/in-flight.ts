import { ALL } from '../contenders/contenders.ts'
import { TIMES, type Case } from '../harness/case.ts'
import { underLoad } from '../harness/load.ts'

/** What a call costs when so many are under way all the time. */
export function inFlight(count: number): Case {
  return {
    title: `A no-op, ${count.toLocaleString('en')} in flight`,
    contenders: ALL,
    figures: {
      rate: { title: 'rate', unit: 'calls/s', better: 'higher' },
      p50: { title: 'p50', unit: 'µs', better: 'lower' },
      p99: { title: 'p99', unit: 'µs', better: 'lower' },
    },
    async measure(create, effort) {
      const contender = await create({ workers: 2 })
      const { rate, p50, p99 } = await underLoad(() => contender.call('noop'), { inFlight: count, ...TIMES[effort] })
      await contender.close()
      return { rate, p50, p99 }
    },
  }
}
