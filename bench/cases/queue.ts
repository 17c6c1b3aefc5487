import type { Case } from '../harness/case.ts'
import { FIGURES, TIMES } from '../harness/load-case.ts'
import { underLoad } from '../harness/load.ts'

/** Calls under way for the rate: enough that nobody waits for anybody. */
const MANY = 64

/**
 * What a call through Redis costs from its start to its outcome, alone and among many. With coatcheck it runs on a thread
 * and its outcome is kept until the caller has it; with BullMQ it runs where its worker is.
 */
export const queue: Case = {
  title: `A no-op through a queue on Redis, alone and ${MANY} in flight`,
  contenders: ['coatcheck queue', 'bare BullMQ'],
  reference: 'bare BullMQ',
  figures: { p50: { ...FIGURES.p50, title: 'p50 alone' }, rate: FIGURES.rate },
  async measure(create, effort) {
    const contender = await create({ workers: 1, concurrency: 16 })
    const call = (): Promise<unknown> => contender.call('noop')
    const { p50 } = await underLoad(call, { inFlight: 1, ...TIMES[effort] })
    const { rate } = await underLoad(call, { inFlight: MANY, ...TIMES[effort] })
    await contender.close()
    return { p50, rate }
  },
}
