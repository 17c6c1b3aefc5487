import type { Tickets } from '../contenders/contender.ts'
import { capable } from '../harness/capable.ts'
import type { Case } from '../harness/case.ts'
import { heapHeld } from '../harness/heap.ts'
import { processorTime } from '../harness/processor-time.ts'
import { sharedWord, tell } from '../harness/shared-word.ts'

const WAITS = { full: 1_000_000, short: 100_000 }
const WARM_UP = 20_000

/** Milliseconds of a wait that times out. All of them are under way before the first does. */
const TIMEOUT = 100
/** Milliseconds of a wait that sees the end of its call. */
const LONG_TIMEOUT = 60_000

/**
 * So many waits on one call that goes on: half of them at once until they time out, then half of them at once until the call
 * ends. Time is what a processor has to do for one of them, from its beginning to its answer; memory is what is still held
 * of one that has timed out, while the call goes on.
 */
export const manyWaits: Case = {
  title: 'A million waits on one call',
  contenders: ['coatcheck start', 'piscina and a map'],
  reference: 'piscina and a map',
  rounds: 1,
  figures: {
    timedOut: { title: 'one that times out', unit: 'µs', better: 'lower' },
    answered: { title: 'one that sees the end', unit: 'µs', better: 'lower' },
    memory: { title: 'left of one, while the call goes on', unit: 'bytes', better: 'lower' },
  },
  // The promises of so many waits are more than a heap has room for by default.
  execArgv: ['--expose-gc', '--max-old-space-size=4096'],
  async measure(create, effort) {
    const half = WAITS[effort] / 2
    const contender = await create({ workers: 1 })
    const tickets = capable(contender.tickets, 'tickets')
    await waitMany(tickets, WARM_UP)
    const { timedOut, answered, left } = await waitMany(tickets, half)
    await contender.close()
    const inMicroseconds = (ms: number): number => (ms / half) * 1_000
    return { timedOut: inMicroseconds(timedOut), answered: inMicroseconds(answered), memory: left / half }
  },
}

/** Milliseconds of processor time that each half took, and bytes that are left of the first. */
async function waitMany(
  { start, wait }: Tickets,
  half: number,
): Promise<{ timedOut: number; answered: number; left: number }> {
  const told = sharedWord()
  const id = await start('untilTold', told, 0)
  const begin = (timeout: number): Promise<unknown> =>
    Promise.all(Array.from({ length: half }, () => wait(id, timeout)))
  const before = await heapHeld()
  const timedOut = await processorTime(() => begin(TIMEOUT))
  const left = (await heapHeld()) - before
  const answered = await processorTime(() => {
    const waits = begin(LONG_TIMEOUT)
    tell(told)
    return waits
  })
  return { timedOut, answered, left }
}
