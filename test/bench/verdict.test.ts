import { deepEqual, equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { contendersOf, describeVerdict, judgeCheck, judgeGoal } from '../../bench/report/verdict.ts'
import type { Mark } from '../../bench/marks.ts'
import { LATENCY, measured } from './sample.ts'

const { figures } = LATENCY
const faster: Mark = {
  case: 'a',
  figure: 'p50',
  contender: 'coatcheck call',
  against: 'piscina',
  goal: 0.5,
  check: 0.8,
}
const more: Mark = { case: 'a', figure: 'rate', contender: 'coatcheck call', against: 'piscina', goal: 10, check: 4 }

test('where less is better, as much as the mark is met, and any more is not', () => {
  const judged = [50, 51].map((p50) =>
    judgeGoal(faster, figures, [measured('coatcheck call', { p50 }), measured('piscina', { p50: 100 })]),
  )
  deepEqual(
    judged.map(({ ratio, isMet }) => [ratio, isMet]),
    [
      [0.5, true],
      [0.51, false],
    ],
  )
})

test('where more is better, as much as the mark is met, and any less is not', () => {
  const judged = [50, 49].map((rate) =>
    judgeGoal(more, figures, [measured('coatcheck call', { rate }), measured('piscina', { rate: 5 })]),
  )
  deepEqual(
    judged.map(({ isMet }) => isMet),
    [true, false],
  )
})

test('a goal is held against the median, a check against the best of all rounds that there were', () => {
  const all = [
    measured('coatcheck call', { p50: 90 }, { p50: 95 }, { p50: 99 }),
    measured('piscina', { p50: 100 }, { p50: 110 }, { p50: 300 }),
    measured('coatcheck call', { p50: 70 }),
  ]
  equal(judgeGoal(faster, figures, all.slice(0, 2)).ratio.toFixed(3), (95 / 110).toFixed(3))
  equal(judgeCheck(faster, figures, all).ratio, 0.7)
})

test('of rates the best round is the fastest', () => {
  const all = [measured('coatcheck call', { rate: 10 }, { rate: 40 }), measured('piscina', { rate: 8 }, { rate: 10 })]
  equal(judgeCheck(more, figures, all).ratio, 4)
})

test('of several, the best is what a figure is held against', () => {
  const mark: Mark = { ...faster, against: ['piscina', 'poolifier'] }
  const all = [
    measured('coatcheck call', { p50: 10 }),
    measured('piscina', { p50: 40 }),
    measured('poolifier', { p50: 20 }),
  ]
  const { against, ratio } = judgeGoal(mark, figures, all)
  deepEqual([against, ratio], ['poolifier', 0.5])
  deepEqual(contendersOf(mark), ['coatcheck call', 'piscina', 'poolifier'])
})

test('an amount needs nobody else to be measured', () => {
  const mark: Mark = { ...faster, against: { name: 'the slow call', value: 200 } }
  equal(judgeGoal(mark, figures, [measured('coatcheck call', { p50: 10 })]).ratio, 0.05)
  deepEqual(contendersOf(mark), ['coatcheck call'])
})

test('a verdict names the case, the figure, the ratio and the mark', () => {
  const verdict = judgeGoal(more, figures, [
    measured('coatcheck call', { rate: 71 }),
    measured('piscina', { rate: 10 }),
  ])
  equal(describeVerdict(verdict), 'a: rate of coatcheck call is 7.10 × piscina, at least 10.0 × is wanted')
})

test('what was not measured is named', () => {
  throws(() => judgeGoal(faster, figures, [measured('coatcheck call', { p50: 1 })]), /p50 of piscina was not measured/u)
  throws(() => judgeGoal({ ...faster, figure: 'p5' }, figures, []), /no figure p5; it has: p50, rate/u)
})
