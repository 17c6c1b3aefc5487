import { setTimeout as sleep } from 'node:timers/promises'
import type { Case } from '../harness/case.ts'
import { processorTime } from '../harness/processor-time.ts'

const WARM_UP_CALLS = 1_000
/** Milliseconds until what the calls have left to do is done: compiled code, collected memory. */
const SETTLE = 500
const IDLE = { full: 5_000, short: 1_500 }

/** What a pool that has work to do at any time uses of a processor while it has none: all threads of the process. */
export const idle: Case = {
  title: `A pool of 2 threads that has nothing to do for ${IDLE.full / 1_000} s`,
  // Of the others, each waits for messages as postMessage does.
  contenders: ['coatcheck call', 'coatcheck call, again', 'piscina', 'postMessage'],
  rounds: 2,
  figures: { used: { title: 'processor time', unit: 'ms/s', better: 'lower' } },
  async measure(create, effort) {
    const contender = await create({ workers: 2 })
    for (let i = 0; i < WARM_UP_CALLS; i++) await contender.call('noop')
    await sleep(SETTLE)
    const used = await processorTime(() => sleep(IDLE[effort]))
    await contender.close()
    return { used: (used / IDLE[effort]) * 1_000 }
  },
}
