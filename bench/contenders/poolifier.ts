import { fileURLToPath } from 'node:url'
import { FixedThreadPool } from 'poolifier'
import type { Contender, ContenderOptions } from './contender.ts'

const ENTRY = fileURLToPath(new URL('../functions/poolifier.js', import.meta.url))

export async function create({ workers }: ContenderOptions): Promise<Contender> {
  const pool = new FixedThreadPool(workers, ENTRY)
  await Promise.all(Array.from({ length: workers }, () => pool.execute(undefined, 'noop')))
  return {
    call: (fn, argument, transfer) => pool.execute(argument, fn, undefined, transfer),
    // Not waited for: its promise does not always settle.
    async close() {
      void pool.destroy()
    },
  }
}
