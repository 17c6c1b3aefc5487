import { Worker } from 'node:worker_threads'
import type { Answer, Request } from '../functions/post-message.js'
import type { Contender, ContenderOptions } from './contender.ts'

const ENTRY = new URL('../functions/post-message.js', import.meta.url)

/** The control: what the port alone costs, and a thread in place of another. */
export function create({ workers }: ContenderOptions): Contender {
  const pending = new Map<number, PromiseWithResolvers<unknown>>()
  const threads = Array.from({ length: workers }, startThread)
  let calls = 0

  function startThread(): Worker {
    const thread = new Worker(ENTRY)
    thread.on('message', ({ id, value }: Answer) => {
      pending.get(id)?.resolve(value)
      pending.delete(id)
    })
    return thread
  }

  function call(fn: Request['fn'], argument: unknown, transfer?: ArrayBuffer[]): Promise<unknown> {
    calls += 1
    const id = calls
    const answer = Promise.withResolvers<unknown>()
    pending.set(id, answer)
    const request: Request = { id, fn, argument }
    threads[id % workers]?.postMessage(request, transfer)
    return answer.promise
  }

  return {
    call,
    begin(fn, argument) {
      const ended = call(fn, argument)
      const id = calls
      const abort = (): void => {
        void threads[id % workers]?.terminate()
        threads[id % workers] = startThread()
        pending.get(id)?.reject(new Error('aborted'))
        pending.delete(id)
      }
      return { ended, abort }
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
}
