import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { FUNCTIONS, type Contender, type ContenderOptions } from './contender.ts'

export function create({ workers, concurrency = 1 }: ContenderOptions): Contender {
  const pool = new Piscina({
    filename: fileURLToPath(FUNCTIONS),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: concurrency,
  })
  return {
    call: (fn, argument, transfer) => pool.run(argument, { name: fn, ...(transfer && { transferList: transfer }) }),
    begin(fn, argument) {
      const controller = new AbortController()
      return { ended: pool.run(argument, { name: fn, signal: controller.signal }), abort: () => controller.abort() }
    },
    close: () => pool.destroy(),
  }
}
