import { ALL } from '../contenders/contenders.ts'
import type { Case } from '../harness/case.ts'

/** From nothing to the first value. The import of the library is not counted: it is a module as others are. */
export const startUp: Case = {
  title: 'Start-up to the first result, one worker',
  contenders: ALL,
  figures: { first: { title: 'first result', unit: 'ms', better: 'lower' } },
  async measure(create) {
    const began = performance.now()
    const contender = await create({ workers: 1 })
    await contender.call('noop')
    const first = performance.now() - began
    await contender.close()
    return { first }
  },
}
