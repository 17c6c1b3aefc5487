import type { Case, Figure } from '../harness/case.ts'
import type { Measured } from '../harness/rounds.ts'
import type { Mark } from '../marks.ts'
import { formatRatio } from './rows.ts'

/** What a run says of a mark. */
export interface Verdict {
  mark: Mark
  figure: Figure
  /** What the figure was held against: of several contenders the best. */
  against: string
  /** How many times that it is. */
  ratio: number
  /** The goal, or what is checked. */
  limit: number
  isMet: boolean
}

/** One figure of each contender. */
type Values = ReadonlyMap<string, number | undefined>

/** Holds the medians of a run against a mark's goal. */
export function judgeGoal(mark: Mark, figures: Case['figures'], measured: readonly Measured[]): Verdict {
  const values = new Map(measured.map(({ contender, medians }) => [contender, medians[mark.figure]]))
  return judge(mark, figures, values, mark.goal ?? NaN)
}

/**
 * Holds the best of all rounds against what a mark lets through. The best, since a busy machine only ever makes figures
 * worse: the more rounds, the nearer to what they are without it.
 *
 * @param measured can have several of one contender.
 */
export function judgeCheck(mark: Mark, figures: Case['figures'], measured: readonly Measured[]): Verdict {
  const best = figures[mark.figure]?.better === 'lower' ? Math.min : Math.max
  const values = new Map<string, number>()
  for (const { contender, rounds } of measured) {
    const ofRounds = rounds.map((round) => round[mark.figure] ?? NaN)
    values.set(contender, best(...ofRounds, values.get(contender) ?? ofRounds[0] ?? NaN))
  }
  return judge(mark, figures, values, mark.check ?? NaN)
}

/** Which contenders have to be measured for it. */
export function contendersOf({ contender, against }: Mark): string[] {
  if (typeof against === 'string') return [contender, against]
  return 'value' in against ? [contender] : [contender, ...against]
}

/** `in-flight-64: rate of coatcheck call is 7.10 × piscina, at least 10.0 × is wanted` */
export function describeVerdict({ mark, figure, against, ratio, limit }: Verdict): string {
  const bound = figure.better === 'lower' ? 'at most' : 'at least'
  const is = `${figure.title} of ${mark.contender} is ${formatRatio(ratio)} × ${against}`
  return `${mark.case}: ${is}, ${bound} ${formatRatio(limit)} × is wanted`
}

function judge(mark: Mark, figures: Case['figures'], values: Values, limit: number): Verdict {
  const figure = figures[mark.figure]
  if (!figure) throw new Error(`${mark.case} has no figure ${mark.figure}; it has: ${Object.keys(figures).join(', ')}`)
  const valueOf = (name: string): number => {
    const value = values.get(name)
    if (value === undefined) throw new Error(`${mark.case}: ${mark.figure} of ${name} was not measured`)
    return value
  }
  const { name, value } = heldAgainst(mark, figure, valueOf)
  const ratio = valueOf(mark.contender) / value
  const isMet = figure.better === 'lower' ? ratio <= limit : ratio >= limit
  return { mark, figure, against: name, ratio, limit, isMet }
}

function heldAgainst({ against }: Mark, { better }: Figure, valueOf: (name: string) => number): Held {
  if (typeof against === 'string') return { name: against, value: valueOf(against) }
  if ('value' in against) return against
  const all = against.map((name) => ({ name, value: valueOf(name) }))
  return all.reduce((best, each) => (each.value < best.value === (better === 'lower') ? each : best))
}

interface Held {
  name: string
  value: number
}
