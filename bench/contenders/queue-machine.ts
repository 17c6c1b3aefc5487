// The machine that serves the queue of a contender. `queue-machine.ts <kind> <queue> <port> <threads> <calls on each>`
import { Worker } from 'bullmq'
import type * as index from '../../src/index.ts'
import type * as bullmq from '../../src/bullmq.ts'
import * as functions from '../functions/functions.js'
import { FUNCTIONS } from './contender.ts'

const [kind, queue = '', port, workers, concurrency] = process.argv.slice(2)
const connection = { host: '127.0.0.1', port: Number(port) }
const atOnce = Number(workers) * Number(concurrency)

if (kind === 'coatcheck') {
  const { createRunner } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof index
  const { serveQueue } = (await import(new URL('../../dist/bullmq.js', import.meta.url).href)) as typeof bullmq
  const threads = { min: Number(workers), max: Number(workers), concurrency: Number(concurrency) }
  await serveQueue(createRunner({ functions: FUNCTIONS, threads }), { queue, connection, concurrency: atOnce })
} else {
  const worker = new Worker(
    queue,
    async ({ name, data }) => (functions as Record<string, (argument: unknown) => unknown>)[name]?.(data[0]),
    { connection, concurrency: atOnce },
  )
  await worker.waitUntilReady()
}
process.send?.('serving')
process.on('disconnect', () => process.exit())
