import { deepEqual, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { TimeHistogram } from '../../src/caller/time-histogram.ts'

function histogramOf(times: Iterable<number>): TimeHistogram {
  const histogram = new TimeHistogram()
  for (const time of times) histogram.record(time)
  return histogram
}

test('without times all figures are 0', () => {
  deepEqual(new TimeHistogram().stats, { count: 0, p50: 0, p99: 0, max: 0 })
})

test('p50 is what half of the times reach, p99 what all but one in a hundred do, and max the longest', () => {
  const times = Array.from({ length: 1_000 }, (_, i) => 1_000 - i)
  deepEqual(histogramOf(times).stats, { count: 1_000, p50: 500, p99: 990, max: 1_000 })
})

test('one long time among a hundred is the max alone, and two of them are the p99 too', () => {
  const short = new Array<number>(98).fill(10)
  deepEqual(histogramOf([...short, 10, 2_000]).stats, { count: 100, p50: 10, p99: 10, max: 2_000 })
  deepEqual(histogramOf([...short, 2_000, 2_000]).stats, { count: 100, p50: 10, p99: 2_000, max: 2_000 })
})

test('long times are right to a thousandth', () => {
  const hour = 3_600_000_000
  const { count, p50, p99, max } = histogramOf([hour, hour, hour]).stats
  deepEqual(count, 3)
  for (const figure of [p50, p99, max]) ok(Math.abs(figure - hour) <= hour / 1_000, `${figure} is about an hour`)
})

test('a time of less than a microsecond counts as one', () => {
  deepEqual(histogramOf([0, 0, 0]).stats, { count: 3, p50: 1, p99: 1, max: 1 })
})

test('the figures follow what is recorded later', () => {
  const histogram = histogramOf([5])
  deepEqual(histogram.stats, { count: 1, p50: 5, p99: 5, max: 5 })
  histogram.record(9)
  histogram.record(9)
  deepEqual(histogram.stats, { count: 3, p50: 9, p99: 9, max: 9 })
})
