import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isExactJson } from '../../../src/adapters/bullmq/exact-json.ts'
import {
  parseProgress,
  readJobValue,
  readProgress,
  writeJobValue,
  writeProgress,
} from '../../../src/adapters/bullmq/job-values.ts'

const LIMIT = 1_000_000

/** As through Redis. */
function travelled<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

const values = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
})

test('what is called exact JSON arrives by JSON alone', () => {
  fc.assert(
    fc.property(values, (value) => {
      if (isExactJson(value)) assert.deepEqual(travelled(value), structuredClone(value))
    }),
  )
})

test('every value and every progress that structured clone knows arrives', () => {
  fc.assert(
    fc.property(values, (made) => {
      const value: unknown = structuredClone(made)
      assert.deepEqual(readJobValue(travelled(writeJobValue(value, 'value'))), value)
      assert.deepEqual(readProgress(JSON.parse(writeProgress(value, LIMIT))), value)
    }),
  )
})

test('what JSON can carry stands in a job as it is', () => {
  const value = { list: [1, 'two', null, { three: true }], empty: {} }
  assert.deepEqual(writeJobValue(value, 'value'), { value })
  assert.equal(writeProgress(value, LIMIT), JSON.stringify(value))
})

test('what JSON would lose is not called exact', () => {
  const twice = {}
  const cycle: { self?: object } = {}
  cycle.self = cycle
  const lost = [undefined, NaN, -0, 1n, new Date(0), [undefined], { a: undefined }, [twice, twice], cycle, new Array(2)]
  for (const value of [...lost, Object.create({ inherited: 1 }), Object.assign([1], { more: 1 })]) {
    assert.equal(isExactJson(value), false)
  }
})

test('what is shown of a value that JSON cannot carry is cut off', () => {
  const { value } = writeJobValue(new Map([['key', 'x'.repeat(100_000)]]), 'value')
  assert.ok(typeof value === 'string' && value.startsWith("Map(1) { 'key' => 'xxx") && value.length <= 1_001)
})

test('a plain progress that looks like one that is written otherwise arrives as it is', () => {
  const progress = { rich: '[1]', value: 2 }
  assert.deepEqual(readProgress(JSON.parse(writeProgress(progress, LIMIT))), progress)
})

test('progress that somebody else wrote is given as it stands', () => {
  for (const [text, progress] of [
    ['50', 50],
    ['{"rich":"no value"}', { rich: 'no value' }],
    ['half of it', 'half of it'],
  ] as const) {
    assert.deepEqual(parseProgress(text), progress)
  }
})

test('progress that is too large is refused, with its size', () => {
  assert.throws(() => writeProgress('x'.repeat(100), 50), /progress has 102 bytes .* valueLimit \(50\)/)
})
