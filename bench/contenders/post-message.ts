import { Worker } from 'node:worker_threads'
import type { Answer, Request } from '../functions/post-message.js'
import type { Contender, ContenderOptions } from './contender.ts'

const ENTRY = new URL('../functions/post-message.js', import.meta.url)

/** The control: what the port alone costs. */
export function create({ workers }: ContenderOptions): Contender {
  const pending = new Map<number, (value: unknown) => void>()
  const threads = Array.from({ length: workers }, () => new Worker(ENTRY))
  for (const thread of threads) {
    thread.on('message', ({ id, value }: Answer) => {
      pending.get(id)?.(value)
      pending.delete(id)
    })
  }
  let id = 0
  return {
    call(fn, argument, transfer) {
      id += 1
      const { promise, resolve } = Promise.withResolvers<unknown>()
      pending.set(id, resolve)
      const request: Request = { id, fn, argument }
      threads[id % workers]?.postMessage(request, transfer)
      return promise
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
}
