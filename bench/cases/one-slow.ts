import { ON_THREADS } from '../contenders/contenders.ts'
import type { Case } from '../harness/case.ts'
import { percentiles } from '../harness/percentiles.ts'

const SMALL_CALLS = 10_000
const IN_FLIGHT = 64
const SLOW = 200

/** Whether small calls get stuck behind a slow one. */
export const oneSlow: Case = {
  title: `One call of ${SLOW} ms among ${SMALL_CALLS.toLocaleString('en')} small ones, ${IN_FLIGHT} in flight, on 2 threads`,
  contenders: ON_THREADS,
  figures: {
    p99: { title: 'p99 of the small', unit: 'ms', better: 'lower' },
    most: { title: 'the slowest of them', unit: 'ms', better: 'lower' },
  },
  async measure(create) {
    const contender = await create({ workers: 2 })
    await smallCalls((began) => contender.call('noop').then(() => performance.now() - began))
    const slow = contender.call('spin', SLOW)
    const samples = await smallCalls((began) => contender.call('noop').then(() => performance.now() - began))
    await slow
    await contender.close()
    return percentiles(samples, { p99: 0.99, most: 1 })
  },
}

/** Keeps some of them under way until all have ended, and gives how long each took. */
async function smallCalls(timed: (began: number) => Promise<number>): Promise<Float64Array> {
  const samples = new Float64Array(SMALL_CALLS)
  let next = 0
  const chain = async (): Promise<void> => {
    while (next < SMALL_CALLS) {
      const at = next
      next += 1
      samples[at] = await timed(performance.now())
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, chain))
  return samples
}
