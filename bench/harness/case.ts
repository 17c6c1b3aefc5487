import type { ContenderName } from '../contenders/contenders.ts'
import type { CreateContender } from '../contenders/contender.ts'

/** How long a round measures. The short form is for a check of every commit. */
export type Effort = 'full' | 'short'

export interface Figure {
  title: string
  unit: 'µs' | 'ms' | 'calls/s' | '× the ideal' | 'bytes' | 'ms/s'
  better: 'lower' | 'higher'
}

export type Figures = Record<string, number>

export interface Case {
  /** With the numbers of the full form. */
  title: string
  contenders: readonly ContenderName[]
  /** What the others are held against. Default: Piscina. */
  reference?: ContenderName
  /** The most rounds that it is measured in: where one is as good as the next, or takes long. */
  rounds?: number
  /** By the names that `measure` gives them. The first is the one that contenders are compared by. */
  figures: Record<string, Figure>
  /** More Node options for the process that measures. */
  execArgv?: readonly string[]
  /** Measures one contender, in a process that does nothing else. */
  measure(create: CreateContender, effort: Effort): Promise<Figures>
}
