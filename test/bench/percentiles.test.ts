import { deepEqual, equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { median, percentiles } from '../../bench/harness/percentiles.ts'

test('a percentile is the smallest sample that so large a share of them does not exceed', () => {
  const samples = Float64Array.from({ length: 1_000 }, (_, i) => 1_000 - i)
  const shares = { least: 0, p50: 0.5, p99: 0.99, p999: 0.999, most: 1 }
  deepEqual(percentiles(samples, shares), { least: 1, p50: 500, p99: 990, p999: 999, most: 1_000 })
})

test('of few samples the largest is also the one at 99 %', () => {
  deepEqual(percentiles(Float64Array.of(10, 2), { p50: 0.5, p99: 0.99 }), { p50: 2, p99: 10 })
})

test('samples are compared as numbers', () => {
  equal(median([10, 9, 100]), 10)
})

test('there is no percentile of nothing', () => {
  throws(() => median([]), RangeError)
})
