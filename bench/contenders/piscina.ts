import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { overPool } from './abortable-pool.ts'
import { FUNCTIONS, type Contender, type ContenderOptions } from './contender.ts'

export function create({ workers, concurrency = 1 }: ContenderOptions): Contender {
  const pool = new Piscina({
    filename: fileURLToPath(FUNCTIONS),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: concurrency,
  })
  return overPool(pool)
}
