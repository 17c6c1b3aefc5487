import type { Case } from '../harness/case.ts'
import { fillHeap } from '../harness/heap.ts'
import { loopDelay } from '../harness/loop-delay.ts'

const HEAP = 1e9
const CALLS = { full: 100, short: 20 }

/**
 * How long the event loop of a large host stands still while it calls what runs in processes. A process that is started
 * begins as a copy of the one that starts it, whose memory has to be taken account of.
 *
 * The controls tell what comes of so many starts, whoever asks for them, and what of the machine alone. That a process
 * which starts takes the host's processor away is the machine's affair too, and is told apart. The pools have nothing to
 * do here: they start no process for a call.
 */
export const largeHost: Case = {
  title: `${CALLS.full} calls, each in a process, of a host with ${HEAP / 1e9} GB of heap`,
  contenders: ['coatcheck spare', 'bare Node', 'bare Node by a shell', 'nothing'],
  reference: 'bare Node',
  rounds: 2,
  figures: {
    mostOfItsOwn: { title: 'the longest stall, but for waits for a processor', unit: 'ms', better: 'lower' },
    most: { title: 'the longest stall', unit: 'ms', better: 'lower' },
    p99: { title: 'p99', unit: 'ms', better: 'lower' },
  },
  execArgv: ['--expose-gc', '--max-old-space-size=4096'],
  async measure(create, effort) {
    const held = fillHeap(HEAP)
    const contender = await create({ workers: 2 })
    await contender.call('noop')
    const { mostOfItsOwn, most, p99 } = await loopDelay(async () => {
      for (let i = 0; i < CALLS[effort]; i++) await contender.call('noop')
    })
    await contender.close()
    // Held until here, and no longer.
    if (held.length === 0) throw new Error('the heap is empty')
    return { mostOfItsOwn, most, p99 }
  },
}
