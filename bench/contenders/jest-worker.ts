import { fileURLToPath } from 'node:url'
import { Worker } from 'jest-worker'
import { FUNCTIONS, type Contender, type ContenderOptions, type FunctionName } from './contender.ts'

const NAMES: FunctionName[] = ['noop', 'echo', 'size', 'spin', 'timer']

export async function create({ workers }: ContenderOptions): Promise<Contender> {
  const pool = new Worker(fileURLToPath(FUNCTIONS), {
    enableWorkerThreads: true,
    numWorkers: workers,
    exposedMethods: NAMES,
  }) as Worker & Record<FunctionName, (argument: unknown) => Promise<unknown>>
  await pool.start()
  return {
    call: (fn, argument) => pool[fn](argument),
    async close() {
      await pool.end()
    },
  }
}
