import { percentiles } from './percentiles.ts'
import { ProcessorWaits } from './processor-waits.ts'

/** Milliseconds between two looks at the clock. */
const RESOLUTION = 1

/** By how many milliseconds the event loop was late. */
export interface LoopDelay {
  p50: number
  p99: number
  most: number
  /**
   * The most that was not for want of a processor: what the process itself is held up by, however many others there are.
   * The same as `most` where the system does not tell.
   */
  mostOfItsOwn: number
}

/**
 * How late the event loop is for a timer of 1 ms while `work` goes on.
 *
 * @throws when it did not turn.
 */
export async function loopDelay(work: () => Promise<unknown>): Promise<LoopDelay> {
  const waits = new ProcessorWaits()
  const late: number[] = []
  let mostOfItsOwn = 0
  let began = performance.now()
  let { waited } = waits
  const timer = setInterval(() => {
    const delay = Math.max(0, performance.now() - began - RESOLUTION)
    late.push(delay)
    mostOfItsOwn = Math.max(mostOfItsOwn, delay - (waits.waited - waited))
    // Not before: what it takes to find out is nobody's delay.
    ;({ waited } = waits)
    began = performance.now()
  }, RESOLUTION)
  try {
    await work()
  } finally {
    clearInterval(timer)
    waits.close()
  }
  if (late.length === 0) throw new Error('the event loop did not turn')
  return { ...percentiles(Float64Array.from(late), { p50: 0.5, p99: 0.99, most: 1 }), mostOfItsOwn }
}
