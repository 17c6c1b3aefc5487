import { REFERENCE } from '../contenders/contenders.ts'
import type { Case } from '../harness/case.ts'
import type { Measured } from '../harness/rounds.ts'
import { formatFigure, formatRatio, rowsOf } from './rows.ts'

/** A case's figures as text: the best first, with how many times the reference's each one's first figure is. */
export function tableOf({ title, figures, reference = REFERENCE }: Case, measured: readonly Measured[]): string {
  const columns = Object.entries(figures)
  const [first] = columns
  if (!first) throw new Error(`${title}: there are no figures to show`)
  const header = ['', ...columns.map(([, figure]) => `${figure.title}, ${figure.unit}`), `of ${reference}'s`]
  const rows = rowsOf(measured, ...first, reference).map(({ contender, ratio }) => {
    const medians = measured.find((each) => each.contender === contender)?.medians
    const cells = columns.map(([key]) => formatFigure(medians?.[key] ?? NaN))
    const row: string[] = [contender]
    return row.concat(cells, formatRatio(ratio))
  })
  return `${title}\n${align([header, ...rows])}\n`
}

/** The first column to the left, figures to the right. */
function align(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   '),
  )
  return lines.map((line) => `  ${line.trimEnd()}`).join('\n')
}
