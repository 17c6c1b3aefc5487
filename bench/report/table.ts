import { REFERENCE } from '../contenders/contenders.ts'
import type { Case, Figure } from '../harness/case.ts'
import type { Measured } from '../harness/rounds.ts'

/** A case's figures as text: the best first, with how many times the reference's each one's first figure is. */
export function tableOf({ title, figures, reference = REFERENCE }: Case, measured: readonly Measured[]): string {
  const columns = Object.entries(figures)
  const [first] = columns
  if (!first) throw new Error(`${title}: there are no figures to show`)
  const [key, { better }] = first
  const held = measured.find(({ contender }) => contender === reference)?.medians[key]
  const sorted = measured.toSorted(
    (a, b) => ((a.medians[key] ?? 0) - (b.medians[key] ?? 0)) * (better === 'lower' ? 1 : -1),
  )
  const header = ['', ...columns.map(([, figure]) => `${figure.title}, ${figure.unit}`), `of ${reference}'s`]
  const rows = sorted.map(({ contender, medians }) => {
    const cells = columns.map(([name, figure]) => formatFigure(medians[name] ?? NaN, figure))
    const row: string[] = [contender]
    return row.concat(cells, ((medians[key] ?? NaN) / (held ?? NaN)).toFixed(2))
  })
  return `${title}\n${align([header, ...rows])}\n`
}

function formatFigure(value: number, { unit }: Pick<Figure, 'unit'>): string {
  if (unit === 'calls/s' || value >= 1_000) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}

/** The first column to the left, figures to the right. */
function align(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   '),
  )
  return lines.map((line) => `  ${line.trimEnd()}`).join('\n')
}
