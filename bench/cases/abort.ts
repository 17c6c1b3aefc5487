import { setTimeout as sleep } from 'node:timers/promises'
import { capable } from '../harness/capable.ts'
import type { Case } from '../harness/case.ts'
import { percentiles } from '../harness/percentiles.ts'
import { sharedWord } from '../harness/shared-word.ts'

const WORKERS = 2
const TIMES = { full: 20, short: 6 }

/**
 * From the abort of a loop that never ends until each thread answers again: as many calls as there are threads meet. One
 * of the threads had nothing to do with it.
 *
 * poolifier and jest-worker cannot abort what is synchronous; in processes calls cannot meet.
 */
export const abort: Case = {
  title: `Abort of a busy loop until all ${WORKERS} threads answer`,
  contenders: [
    'coatcheck call',
    'coatcheck call, again',
    'piscina',
    'tinypool threads',
    'workerpool thread',
    'postMessage',
  ],
  rounds: 2,
  figures: {
    p50: { title: 'p50', unit: 'ms', better: 'lower' },
    most: { title: 'the slowest', unit: 'ms', better: 'lower' },
  },
  async measure(create, effort) {
    const contender = await create({ workers: WORKERS })
    const begin = capable(contender.begin, 'abort')
    const meet = async (): Promise<void> => {
      const place = { arrived: sharedWord(), all: WORKERS }
      await Promise.all(Array.from({ length: WORKERS }, () => contender.call('meet', place)))
    }
    const samples = new Float64Array(TIMES[effort])
    for (let i = 0; i < samples.length; i++) {
      await meet()
      const begun = sharedWord()
      const loop = begin('busyLoop', begun)
      const aborted = loop.ended.then(
        () => Promise.reject(new Error('the loop has ended')),
        () => {},
      )
      while (Atomics.load(begun, 0) === 0) await sleep(1)
      const began = performance.now()
      loop.abort()
      await meet()
      samples[i] = performance.now() - began
      await aborted
    }
    await contender.close()
    return percentiles(samples, { p50: 0.5, most: 1 })
  },
}
