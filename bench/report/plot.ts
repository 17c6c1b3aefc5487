import { scaleLinear } from 'd3-scale'
import type { Figure } from '../harness/case.ts'
import { markup, type Markup } from './markup.ts'
import { formatFigure, formatRatio, type Row } from './rows.ts'

/** CSS pixels: as wide as a phone has room for, so that it needs no shrinking there. */
export const PLOT_WIDTH = 360

const MARGIN = { top: 22, bottom: 20 }
const ROW = { height: 31, text: 12, bar: 17, thickness: 8 }
const TICKS = 4

/** Bars from zero, the best on top; a line through the end of each spans what the rounds gave. */
export function plotOf({ title, unit, better }: Figure, rows: readonly Row[]): Markup {
  const height = plotHeight(rows.length)
  const most = Math.max(...rows.map((row) => row.most))
  const x = scaleLinear([0, most], [0, PLOT_WIDTH - 2]).nice(TICKS)
  const bottom = height - MARGIN.bottom
  const ticks = x.ticks(TICKS).map((tick, i, { length }) => {
    const at = round(x(tick)) + 0.5
    const anchor = i === 0 ? 'start' : i === length - 1 ? 'end' : 'middle'
    return markup`
    <line class="grid" x1="${at}" x2="${at}" y1="${MARGIN.top}" y2="${bottom}"/>
    <text class="tick" x="${at}" y="${height - 6}" text-anchor="${anchor}">${tick.toLocaleString('en', { notation: 'compact' })}</text>`
  })
  const summary = `${title}, ${better} is better: ${rows.map((row) => `${row.contender} ${formatFigure(row.median)} ${unit}`).join(', ')}`
  return markup`
  <svg class="plot" role="img" aria-label="${summary}" viewBox="0 0 ${PLOT_WIDTH} ${height}" width="${PLOT_WIDTH}" height="${height}">
    <text class="title" x="0" y="12">${title}, ${unit} <tspan class="tick">(${better} is better)</tspan></text>${ticks}${rows.map(
      (row, i) => bar(row, MARGIN.top + i * ROW.height, x),
    )}
  </svg>`
}

export function plotHeight(rows: number): number {
  return MARGIN.top + rows * ROW.height + MARGIN.bottom
}

function bar({ contender, median, least, most, ratio }: Row, top: number, x: (value: number) => number): Markup {
  const middle = top + ROW.bar + ROW.thickness / 2
  const value = Number.isFinite(ratio) ? `${formatFigure(median)} · ${formatRatio(ratio)} ×` : formatFigure(median)
  return markup`
    <g class="${contender.startsWith('coatcheck') ? 'own' : 'other'}">
      <text class="name" x="0" y="${top + ROW.text}">${contender}</text>
      <text class="value" x="${PLOT_WIDTH}" y="${top + ROW.text}" text-anchor="end">${value}</text>
      <rect class="bar" x="0" y="${top + ROW.bar}" width="${Math.max(0, round(x(median)))}" height="${ROW.thickness}" rx="2"/>
      <path class="spread" d="M${round(x(least))} ${middle}H${round(x(most))}m0 -3v6M${round(x(least))} ${middle - 3}v6"/>
    </g>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
