import { capable } from '../harness/capable.ts'
import type { Case } from '../harness/case.ts'
import { heapHeld } from '../harness/heap.ts'

const CALLS = { full: 50_000, short: 20_000 }

/**
 * What is held of a call that has ended and can still be asked for, beside its value: it has none. Pools keep no call; a
 * map of promises over one is what a user would write.
 */
export const keptCalls: Case = {
  title: `${CALLS.full.toLocaleString('en')} calls begun, waited for, and kept`,
  contenders: ['coatcheck start', 'piscina and a map'],
  reference: 'piscina and a map',
  rounds: 1,
  figures: {
    memory: { title: 'memory a call', unit: 'bytes', better: 'lower' },
    time: { title: 'time a call', unit: 'µs', better: 'lower' },
  },
  execArgv: ['--expose-gc'],
  async measure(create, effort) {
    const count = CALLS[effort]
    const contender = await create({ workers: 2, kept: 2 * count })
    const { start, wait } = capable(contender.tickets, 'tickets')
    const keep = async (calls: number): Promise<void> => {
      const ids = await Promise.all(Array.from({ length: calls }, () => start('noop', undefined, 0)))
      await Promise.all(ids.map((id) => wait(id, Infinity)))
    }
    await keep(count / 10)
    const before = await heapHeld()
    const began = performance.now()
    await keep(count)
    const took = performance.now() - began
    const held = (await heapHeld()) - before
    await contender.close()
    return { memory: held / count, time: (took / count) * 1_000 }
  },
}
