import type { Tickets } from '../contenders/contender.ts'
import { capable } from '../harness/capable.ts'
import type { Case } from '../harness/case.ts'
import { percentiles } from '../harness/percentiles.ts'
import { processorTime } from '../harness/processor-time.ts'
import { sharedWord, tell } from '../harness/shared-word.ts'

const CALLS = 1_000
const WAITS = 10
/** Milliseconds of each wait. */
const TIMEOUT = 20
const PASSES = { full: 5, short: 2 }

/**
 * `start` of a call that outlives its timeout, and then 10 waits in which it does not end either. What a wait costs is
 * what a processor has to do for it. Pools have no such thing; the reference is what a user would write over one.
 */
export const waitedAgain: Case = {
  title: `${CALLS.toLocaleString('en')} calls that outlive their start, each waited for ${WAITS} times`,
  contenders: ['coatcheck start', 'piscina and a map'],
  reference: 'piscina and a map',
  rounds: 2,
  figures: {
    cost: { title: 'cost of a wait', unit: 'µs', better: 'lower' },
    late: { title: 'answered late, p99', unit: 'ms', better: 'lower' },
  },
  async measure(create, effort) {
    const contender = await create({ workers: 1 })
    const tickets = capable(contender.tickets, 'tickets')
    await waitAgain(tickets)
    let used = 0
    const late: number[] = []
    for (let pass = 0; pass < PASSES[effort]; pass++) {
      const found = await waitAgain(tickets)
      used += found.used
      late.push(...found.late)
    }
    await contender.close()
    const { p99 } = percentiles(Float64Array.from(late), { p99: 0.99 })
    return { cost: (used / late.length) * 1_000, late: p99 }
  },
}

/** Milliseconds of processor time that all waits needed, and by which each was answered late. */
async function waitAgain({ start, wait }: Tickets): Promise<{ used: number; late: number[] }> {
  const told = sharedWord()
  // One of them runs, the others are queued: it is the same for who waits.
  const ids = await Promise.all(Array.from({ length: CALLS }, () => start('untilTold', told, TIMEOUT)))
  const late: number[] = []
  const waitOnce = async (id: string): Promise<void> => {
    const began = performance.now()
    if (await wait(id, TIMEOUT)) throw new Error('the call did not outlive its waits')
    late.push(performance.now() - began - TIMEOUT)
  }
  const used = await processorTime(async () => {
    for (let i = 0; i < WAITS; i++) await Promise.all(ids.map(waitOnce))
  })
  tell(told)
  await Promise.all(ids.map((id) => wait(id, Infinity)))
  return { used, late }
}
