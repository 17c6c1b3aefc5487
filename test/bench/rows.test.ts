import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { formatFigure, formatRatio, noiseOf, rowsOf } from '../../bench/report/rows.ts'
import { measured } from './sample.ts'

const p50 = { better: 'lower' } as const

test('a figure is the median of the rounds, with the least and the most of them', () => {
  const [row] = rowsOf([measured('piscina', { p50: 9 }, { p50: 11 }, { p50: 20 })], 'p50', p50, 'piscina')
  deepEqual(row, { contender: 'piscina', median: 11, least: 9, most: 20, ratio: 1 })
})

test('the best stands first, each with how many times the reference it is', () => {
  const all = [
    measured('piscina', { p50: 40 }),
    measured('poolifier', { p50: 60 }),
    measured('postMessage', { p50: 10 }),
  ]
  const pairs = rowsOf(all, 'p50', p50, 'piscina').map(({ contender, ratio }) => [contender, ratio])
  deepEqual(pairs, [
    ['postMessage', 0.25],
    ['piscina', 1],
    ['poolifier', 1.5],
  ])
})

test('of what should be high the highest stands first', () => {
  const rows = rowsOf(
    [measured('piscina', { rate: 1 }), measured('poolifier', { rate: 2 })],
    'rate',
    { better: 'higher' },
    'piscina',
  )
  deepEqual(
    rows.map(({ contender }) => contender),
    ['poolifier', 'piscina'],
  )
})

test('a case can be held against another', () => {
  const all = [measured('piscina', { p50: 40 }), measured('poolifier', { p50: 80 })]
  equal(rowsOf(all, 'p50', p50, 'poolifier')[0]?.ratio, 0.5)
})

test('without the reference there is no ratio', () => {
  const [row] = rowsOf([measured('poolifier', { p50: 1 })], 'p50', p50, 'piscina')
  ok(Number.isNaN(row?.ratio))
})

test('the noise is by how much the one that was measured twice differs from itself', () => {
  const twice = [measured('coatcheck call', { p50: 12 }), measured('coatcheck call, again', { p50: 10 })]
  equal(noiseOf(rowsOf(twice, 'p50', p50, 'piscina'))?.toFixed(3), '0.200')
  equal(noiseOf(rowsOf(twice.slice(1), 'p50', p50, 'piscina')), undefined)
  const nothing = [measured('coatcheck call', { p50: 0 }), measured('coatcheck call, again', { p50: 0 })]
  equal(noiseOf(rowsOf(nothing, 'p50', p50, 'piscina')), undefined)
})

test('figures have three digits, or all before the point', () => {
  deepEqual([0.12345, 12.345, 999.4, 1_234.5, 1_234_567].map(formatFigure), [
    '0.123',
    '12.3',
    '999',
    '1,235',
    '1,234,567',
  ])
})

test('a small ratio keeps its digits', () => {
  deepEqual([13.44, 1, 0.2512, 0.0452, NaN].map(formatRatio), ['13.4', '1.00', '0.25', '0.045', ''])
})
