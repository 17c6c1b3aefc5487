import { equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkDuration, checkTimeout } from '../../src/model/timeouts.ts'

const NOT_NUMBERS = [
  undefined,
  null,
  '10',
  '',
  true,
  10n,
  {},
  [],
  [10],
  new Date(0),
  Object(10),
  Symbol('ten'),
  () => 10,
]

test('whole milliseconds are taken as they are', () => {
  for (const ms of [1, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER])
    equal(checkTimeout('timeout', ms), ms)
})

test('fractions are rounded up to a millisecond', () => {
  equal(checkTimeout('timeout', 0.1), 1)
  equal(checkTimeout('timeout', Number.MIN_VALUE), 1)
  equal(checkTimeout('timeout', 1.000_1), 2)
  equal(checkTimeout('timeout', 9.5), 10)
})

test('0 is a timeout: look, and answer at once', () => {
  equal(checkTimeout('timeout', 0), 0)
})

test('-0 is 0', () => {
  equal(checkTimeout('timeout', -0) === 0, true)
  throws(() => checkDuration('abortAfter', -0), RangeError)
})

test('Infinity is a timeout: no limit', () => {
  equal(checkTimeout('timeout', Infinity), Infinity)
  equal(checkDuration('abortAfter', Infinity), Infinity)
})

test('a negative timeout is refused, however near to 0', () => {
  for (const ms of [-1, -0.5, -Number.MIN_VALUE, -Infinity]) {
    throws(() => checkTimeout('timeout', ms), {
      name: 'RangeError',
      message: new RegExp(`^timeout must be .* got ${ms}$`),
    })
  }
})

test('NaN is refused', () => {
  throws(() => checkTimeout('timeout', NaN), { name: 'RangeError', message: /^timeout must be 0 or more .* got NaN$/ })
  throws(() => checkDuration('abortAfter', NaN), { name: 'RangeError' })
})

test('what is not a number is refused, also what could be turned into one', () => {
  for (const value of NOT_NUMBERS) {
    throws(() => checkTimeout('timeout', value), {
      name: 'TypeError',
      message: /^timeout must be a number of milliseconds, got /,
    })
    throws(() => checkDuration('abortAfter', value), { name: 'TypeError', message: /^abortAfter must be a number/ })
  }
})

test('a span in which something has to happen must be more than 0', () => {
  throws(() => checkDuration('abortAfter', 0), {
    name: 'RangeError',
    message: /^abortAfter must be more than 0 milliseconds/,
  })
  equal(checkDuration('abortAfter', 0.2), 1)
})

test('every timeout that is taken is a whole number, less than a millisecond above what was given', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 45, noNaN: true }), (given) => {
      const ms = checkTimeout('timeout', given)
      equal(ms, Math.floor(ms))
      equal(ms >= given && ms - 1 < given, true)
    }),
  )
})
