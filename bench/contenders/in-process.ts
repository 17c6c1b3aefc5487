import * as functions from '../functions/functions.js'
import type { Contender } from './contender.ts'

/** The floor: a plain call. */
export function create(): Contender {
  const byName = { ...functions }
  return {
    call: async (fn, argument) => byName[fn](argument as never),
    close: async () => {},
  }
}
