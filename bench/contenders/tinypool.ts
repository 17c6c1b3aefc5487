import { Tinypool } from 'tinypool'
import { overPool } from './abortable-pool.ts'
import { FUNCTIONS, type Contender, type ContenderOptions } from './contender.ts'

export function createThreads(options: ContenderOptions): Contender {
  return createOn('worker_threads', options)
}

export function createProcesses(options: ContenderOptions): Contender {
  return createOn('child_process', options)
}

function createOn(
  runtime: 'worker_threads' | 'child_process',
  { workers, concurrency = 1 }: ContenderOptions,
): Contender {
  const pool = new Tinypool({
    filename: FUNCTIONS.href,
    runtime,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: concurrency,
  })
  return overPool(pool)
}
