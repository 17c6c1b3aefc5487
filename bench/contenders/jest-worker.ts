import { fileURLToPath } from 'node:url'
import { Worker } from 'jest-worker'
import * as functions from '../functions/functions.js'
import { FUNCTIONS, type Contender, type ContenderOptions, type FunctionName } from './contender.ts'

export async function create({ workers }: ContenderOptions): Promise<Contender> {
  const pool = new Worker(fileURLToPath(FUNCTIONS), {
    enableWorkerThreads: true,
    numWorkers: workers,
    exposedMethods: Object.keys(functions),
  }) as Worker & Record<FunctionName, (argument: unknown) => Promise<unknown>>
  await pool.start()
  return {
    call: (fn, argument) => pool[fn](argument),
    async close() {
      await pool.end()
    },
  }
}
