import { parentPort } from 'node:worker_threads'
import * as functions from './functions.ts'

/** The least that a call over a port can need: a number to know it by, a name, an argument. */
export interface Request {
  id: number
  fn: keyof typeof functions
  argument: unknown
}

export interface Answer {
  id: number
  value: unknown
}

const byName = { ...functions }

parentPort?.on('message', async ({ id, fn, argument }: Request) => {
  const returned: unknown = byName[fn](argument as never)
  const answer: Answer = { id, value: returned instanceof Promise ? await returned : returned }
  parentPort?.postMessage(answer)
})
