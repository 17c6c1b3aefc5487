import type autocannon from 'autocannon'
import { capable } from '../harness/capable.ts'
import type { Case } from '../harness/case.ts'
import { percentiles } from '../harness/percentiles.ts'

const CONNECTIONS = 64

/** Seconds. */
const TIMES = { full: { warmUp: 2, duration: 4 }, short: { warmUp: 1, duration: 2 } }

/** Whole requests: a call that does nothing, begun and answered. Who sends them is a thread of its own. */
export const http: Case = {
  title: `Calls over HTTP, ${CONNECTIONS} connections`,
  contenders: ['coatcheck over HTTP', 'bare Fastify'],
  reference: 'bare Fastify',
  figures: { rate: { title: 'rate', unit: 'calls/s', better: 'higher' } },
  async measure(create, effort) {
    // Here alone: each process that measures anything reads this file.
    const { default: run } = await import('autocannon')
    const contender = await create({ workers: 1 })
    const { url, body } = capable(contender.http, 'HTTP')
    const headers = { 'content-type': 'application/json' }
    const load = (duration: number): Promise<autocannon.Result> =>
      run({ url, method: 'POST', headers, body, connections: CONNECTIONS, duration, workers: 1 })
    const { warmUp, duration } = TIMES[effort]
    await load(warmUp)
    const result = await load(duration)
    await contender.close()
    if (result['2xx'] === 0 || result.non2xx > 0)
      throw new Error(`${result.non2xx} requests were not answered as they should be`)
    return { rate: result['2xx'] / result.duration }
  },
}

const HELD = { full: 400, short: 120 }
const AT_ONCE = 4
/** Milliseconds of a call that is waited for: long enough that its wait is held, and no two end together. */
const LONG = 30
const APART = 3

/** From the end of a call, as the node's own process hears of it, to the arrival of the answer at a client that waits. */
export const httpHeld: Case = {
  title: `${HELD.full} waits held over HTTP, ${AT_ONCE} at once`,
  contenders: ['coatcheck over HTTP'],
  reference: 'coatcheck over HTTP',
  figures: {
    p50: { title: 'p50', unit: 'ms', better: 'lower' },
    p99: { title: 'p99', unit: 'ms', better: 'lower' },
  },
  async measure(create, effort) {
    // As many threads as calls: their timers take no processor.
    const contender = await create({ workers: AT_ONCE })
    const endedAt = new Map<string, number>()
    capable(contender.http, 'HTTP').onFinished(({ id }) => void endedAt.set(id, performance.now()))
    const samples = new Float64Array(HELD[effort])
    let next = 0
    const chain = async (): Promise<void> => {
      while (next < samples.length) {
        const at = next
        next += 1
        const { id } = (await contender.call('timer', LONG + (at % AT_ONCE) * APART)) as { id: string }
        samples[at] = performance.now() - (endedAt.get(id) ?? NaN)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, chain))
    await contender.close()
    return percentiles(samples, { p50: 0.5, p99: 0.99 })
  },
}
