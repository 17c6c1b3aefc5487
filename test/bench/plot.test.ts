import { doesNotMatch, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { PLOT_WIDTH, plotOf } from '../../bench/report/plot.ts'
import type { Row } from '../../bench/report/rows.ts'

const p50 = { title: 'p50', unit: 'µs', better: 'lower' } as const

function row(contender: Row['contender'], median: number, spread = 0, ratio = median / 100): Row {
  return { contender, median, least: median - spread, most: median + spread, ratio }
}

function widths(svg: string): number[] {
  return Array.from(svg.matchAll(/<rect [^>]*width="([^"]*)"/gu), ([, width]) => Number(width))
}

test('a bar is as long as its figure', () => {
  const { markup } = plotOf(p50, [row('coatcheck call', 50), row('piscina', 100)])
  const [ours = 0, theirs = 0] = widths(markup)
  equal(ours * 2, theirs)
})

test('the longest round has room', () => {
  const { markup } = plotOf(p50, [row('piscina', 100, 90)])
  const [, end = ''] = /class="spread" d="M[\d.]+ [\d.]+H([\d.]+)/u.exec(markup) ?? []
  ok(Number(end) <= PLOT_WIDTH && Number(end) > PLOT_WIDTH / 2, end)
})

test('a figure below zero has no bar', () => {
  equal(widths(plotOf(p50, [row('piscina', -3), row('coatcheck call', 3)]).markup)[0], 0)
})

test('only coatcheck is highlighted, and the ratio stands beside the figure', () => {
  const { markup } = plotOf(p50, [row('coatcheck start', 29), row('piscina', 100)])
  match(markup, /class="own">\s*<text [^>]*>coatcheck start<\/text>\s*<text [^>]*>29.0 · 0.29 ×</u)
  match(markup, /class="other">\s*<text [^>]*>piscina</u)
})

test('without a reference the figure stands alone', () => {
  doesNotMatch(plotOf(p50, [row('coatcheck start', 29, 0, NaN)]).markup, /×|NaN/u)
})

test('ticks are short, however large the figures', () => {
  match(plotOf(p50, [row('piscina', 100_000)]).markup, />100K<\/text>/u)
})
