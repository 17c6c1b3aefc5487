import type { Contender, ContenderOptions } from '../contenders/contender.ts'
import type { ContenderName } from '../contenders/contenders.ts'
import type { Case, Figure } from './case.ts'
import { underLoad, type LoadFigures } from './load.ts'

export interface LoadCase {
  title: string
  contenders: readonly ContenderName[]
  /** What the others are held against. Default: Piscina. */
  reference?: ContenderName
  options: ContenderOptions
  inFlight: number
  /** What is shown of it. The first is the one that contenders are compared by. Default: the rate, p50, p99. */
  figures?: readonly (keyof LoadFigures)[]
  call: (contender: Contender) => Promise<unknown>
}

export const FIGURES: Readonly<Record<keyof LoadFigures, Figure>> = {
  rate: { title: 'rate', unit: 'calls/s', better: 'higher' },
  p50: { title: 'p50', unit: 'µs', better: 'lower' },
  p99: { title: 'p99', unit: 'µs', better: 'lower' },
  p999: { title: 'p99.9', unit: 'µs', better: 'lower' },
}

/** Milliseconds. V8 has compiled what a call goes through for good after most of a second, and measured before that it is another program. */
export const TIMES = {
  full: { warmUp: 1_000, duration: 400 },
  short: { warmUp: 1_000, duration: 300 },
}

/** A case in which so many calls are under way all the time. */
export function loadCase({
  title,
  contenders,
  reference,
  options,
  inFlight,
  figures = ['rate', 'p50', 'p99'],
  call,
}: LoadCase): Case {
  return {
    title,
    contenders,
    ...(reference && { reference }),
    figures: Object.fromEntries(figures.map((name) => [name, FIGURES[name]])),
    async measure(create, effort) {
      const contender = await create(options)
      const all = await underLoad(() => call(contender), { inFlight, ...TIMES[effort] })
      await contender.close()
      return Object.fromEntries(figures.map((name) => [name, all[name]]))
    },
  }
}
