import type { ContenderName } from '../contenders/contenders.ts'
import type { Figure } from '../harness/case.ts'
import type { Measured } from '../harness/rounds.ts'

/** One contender's figure. */
export interface Row {
  contender: ContenderName
  /** Over the rounds. */
  median: number
  least: number
  most: number
  /** How many times the reference's it is; `NaN` where there is no reference. */
  ratio: number
}

/** Those two are the same: how far they are apart is the noise of the machine. */
const SAME: readonly ContenderName[] = ['coatcheck call', 'coatcheck call, again']

/** A figure of all contenders, the best first. */
export function rowsOf(
  measured: readonly Measured[],
  key: string,
  { better }: Pick<Figure, 'better'>,
  reference: ContenderName,
): Row[] {
  const held = measured.find(({ contender }) => contender === reference)?.medians[key] ?? NaN
  const rows = measured.map(({ contender, rounds, medians }) => {
    const ofRounds = rounds.map((figures) => figures[key] ?? NaN)
    const median = medians[key] ?? NaN
    return { contender, median, least: Math.min(...ofRounds), most: Math.max(...ofRounds), ratio: median / held }
  })
  return rows.toSorted((a, b) => (a.median - b.median) * (better === 'lower' ? 1 : -1))
}

/** By which share, from 0, a contender differs from itself; `undefined` where it was measured once, or found nothing. */
export function noiseOf(rows: readonly Row[]): number | undefined {
  const [one, other] = SAME.map((name) => rows.find(({ contender }) => contender === name)?.median)
  if (one === undefined || other === undefined || Math.min(one, other) <= 0) return undefined
  return Math.max(one, other) / Math.min(one, other) - 1
}

/** With three digits, or all that stand before the point. */
export function formatFigure(value: number): string {
  return Math.abs(value) < 1_000 ? value.toPrecision(3) : Math.round(value).toLocaleString('en')
}

/** Nothing where there is nothing to hold a figure against. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return ''
  if (Math.abs(ratio) < 0.1) return String(Number(ratio.toPrecision(2)))
  return ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1)
}
