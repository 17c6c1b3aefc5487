import { fileURLToPath } from 'node:url'
import workerpool from 'workerpool'
import type { Contender, ContenderOptions } from './contender.ts'

const ENTRY = fileURLToPath(new URL('../functions/workerpool.js', import.meta.url))

export function createThreads(options: ContenderOptions): Contender {
  return createOn('thread', options)
}

export function createProcesses(options: ContenderOptions): Contender {
  return createOn('process', options)
}

function createOn(workerType: 'thread' | 'process', { workers }: ContenderOptions): Contender {
  const pool = workerpool.pool(ENTRY, {
    workerType,
    minWorkers: workers,
    maxWorkers: workers,
    // Nobody is to wait for what a call that is cancelled would like to do before its end.
    workerTerminateTimeout: 1,
  })
  return {
    async call(fn, argument, transfer) {
      return pool.exec(fn, [argument], transfer && { transfer })
    },
    begin(fn, argument) {
      const call = pool.exec(fn, [argument])
      return { ended: Promise.resolve(call), abort: () => void call.cancel() }
    },
    async close() {
      await pool.terminate()
    },
  }
}
