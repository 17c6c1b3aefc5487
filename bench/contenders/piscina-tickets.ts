import { randomUUID } from 'node:crypto'
import pTimeout from 'p-timeout'
import type { Contender, ContenderOptions, Tickets } from './contender.ts'
import { create } from './piscina.ts'

/** What one would write over a pool to ask for a call again: a map of promises, and a timeout for each wait. */
export function createWithTickets(options: ContenderOptions): Contender {
  const contender = create(options)
  const calls = new Map<string, Promise<true>>()
  const tickets: Tickets = {
    async start(fn, argument, timeout) {
      const id = randomUUID()
      calls.set(
        id,
        contender.call(fn, argument).then(() => true),
      )
      if (timeout > 0) await tickets.wait(id, timeout)
      return id
    },
    async wait(id, timeout) {
      const ended = calls.get(id)
      if (!ended) throw new Error(`there is no call ${id}`)
      return timeout === Infinity ? ended : pTimeout(ended, { milliseconds: timeout, fallback: () => false })
    },
  }
  return { ...contender, tickets }
}
