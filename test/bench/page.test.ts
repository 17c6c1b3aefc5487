import { doesNotMatch, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { SaxesParser } from 'saxes'
import { pageOf } from '../../bench/report/page.ts'
import { judgeGoal } from '../../bench/report/verdict.ts'
import { LATENCY, MACHINE, measured } from './sample.ts'

const all = [
  measured('in process', { p50: 1, rate: 9_000 }),
  measured('piscina', { p50: 40, rate: 50 }),
  measured('coatcheck call', { p50: 10, rate: 200 }),
  measured('coatcheck call, again', { p50: 11, rate: 205 }),
]
const mark = { case: 'a-case', figure: 'rate', contender: 'coatcheck call', against: 'piscina', goal: 5 } as const
const sections = [{ name: 'a-case', case: LATENCY, measured: all }]
const page = pageOf({ machine: MACHINE, sections, verdicts: [judgeGoal(mark, LATENCY.figures, all)] })

test('the page is well formed, as XML too', () => {
  new SaxesParser().write(page).close()
})

test('the page loads nothing', () => {
  doesNotMatch(page, /https?:|src=|<link|<script|@import|url\(/u)
})

test('a plot has all contenders but the plain call, which the table has', () => {
  const [plot = ''] = page.match(/<svg.*?<\/svg>/su) ?? []
  equal(plot.match(/class="bar"/gu)?.length, 3)
  doesNotMatch(plot, /in process/u)
  match(page, /<th scope="row">in process<\/th>/u)
})

test('who cannot see a plot is told what it shows', () => {
  match(
    page,
    /role="img" aria-label="p50, lower is better: coatcheck call 10.0 µs, coatcheck call, again 11.0 µs, piscina/u,
  )
})

test('the page says whether a goal is met, and how far the figure is', () => {
  match(page, /not met[^]*at least 5.00 ×[^]*4.00 × piscina/u)
})

test('the page names the noise of each figure', () => {
  match(page, /differs from itself by 10.0 % \(p50\), 2.5 % \(rate\)/u)
})

test('the page says where the figures come from', () => {
  for (const fact of ['2 × A processor', '24.1.0', 'abc1234', '2026-02-03', 'piscina 5.0.0', 'npm run bench'])
    match(page, new RegExp(fact, 'u'))
})
