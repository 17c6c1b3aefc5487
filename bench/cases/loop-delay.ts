import type { Contender } from '../contenders/contender.ts'
import { NEAREST, type ContenderName } from '../contenders/contenders.ts'
import type { Case } from '../harness/case.ts'
import { keepUp } from '../harness/load.ts'
import { TIMES } from '../harness/load-case.ts'
import { loopDelay } from '../harness/loop-delay.ts'

const WORKERS = 2
const IN_FLIGHT = 64

/** What the rest of a process notices of a pool under full load: by how much its event loop is late. */
export const loopDelaySmall = loopDelayCase({
  title: `How late the event loop is, ${IN_FLIGHT} no-ops in flight`,
  contenders: NEAREST,
  call: (contender) => contender.call('noop'),
})

/** The same when the event loop has little to do, and no processor of its own. */
export const loopDelayCpuBound = loopDelayCase({
  title: `How late the event loop is, ${IN_FLIGHT} calls of 1 ms in flight on ${WORKERS} threads`,
  contenders: NEAREST,
  call: (contender) => contender.call('spin', 1),
})

interface LoopDelayCase {
  title: string
  contenders: readonly ContenderName[]
  call: (contender: Contender) => Promise<unknown>
}

function loopDelayCase({ title, contenders, call }: LoopDelayCase): Case {
  return {
    title,
    contenders,
    rounds: 2,
    figures: {
      p99: { title: 'p99', unit: 'ms', better: 'lower' },
      p50: { title: 'p50', unit: 'ms', better: 'lower' },
      most: { title: 'most', unit: 'ms', better: 'lower' },
    },
    async measure(create, effort) {
      const { warmUp, duration } = TIMES[effort]
      const contender = await create({ workers: WORKERS })
      const load = (ms: number): Promise<void> => keepUp(() => call(contender), IN_FLIGHT, performance.now() + ms)
      await load(warmUp)
      const { p99, p50, most } = await loopDelay(() => load(duration))
      await contender.close()
      return { p99, p50, most }
    },
  }
}
