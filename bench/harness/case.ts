import type { ContenderName } from '../contenders/contenders.ts'
import type { CreateContender } from '../contenders/contender.ts'

/** How long a round measures. The short form is for a check of every commit. */
export type Effort = 'full' | 'short'

export interface Figure {
  title: string
  unit: 'µs' | 'ms' | 'calls/s' | '× the ideal'
  better: 'lower' | 'higher'
}

export type Figures = Record<string, number>

export interface Case {
  title: string
  contenders: readonly ContenderName[]
  /** By the names that `measure` gives them. The first is the one that contenders are compared by. */
  figures: Record<string, Figure>
  /** Measures one contender, in a process that does nothing else. */
  measure(create: CreateContender, effort: Effort): Promise<Figures>
}
