import { Bench } from 'tinybench'
import { ALL } from '../contenders/contenders.ts'
import type { Case } from '../harness/case.ts'
import { FIGURES, TIMES } from '../harness/load-case.ts'

/**
 * What a call costs when nothing else is under way.
 *
 * By tinybench, which is made for this. Its rates are those of one call after another, so cases with more in flight have a
 * loop of their own. mitata warms up by a few calls only, not for a time: calls to a thread are slow for longer than that.
 */
export const oneAtATime: Case = {
  title: 'A no-op, one at a time',
  contenders: ALL,
  figures: { p50: FIGURES.p50, p99: FIGURES.p99, p999: FIGURES.p999 },
  async measure(create, effort) {
    const { warmUp, duration } = TIMES[effort]
    const contender = await create({ workers: 1 })
    const bench = new Bench({ warmupTime: warmUp, time: duration, throws: true })
    bench.add('call', () => contender.call('noop'), { async: true })
    const [task] = await bench.run()
    await contender.close()
    if (task?.result.state !== 'completed') throw new Error(`tinybench has ${task?.result.state ?? 'no'} result`)
    const { p50, p99, p999 } = task.result.latency
    return { p50: p50 * 1_000, p99: p99 * 1_000, p999: p999 * 1_000 }
  },
}
