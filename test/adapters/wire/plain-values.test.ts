import { deepEqual, equal, match, throws } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { UnwritableError, writeCause, writeValue } from '../../../src/adapters/wire/values.ts'

test('what JSON carries is written as JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      equal(writeValue(value, 'result', 'plain'), JSON.stringify(value))
    }),
  )
})

test('a property that is undefined counts as one that is not there', () => {
  equal(writeValue({ a: 1, b: undefined }, 'result', 'plain'), '{"a":1}')
})

test('what JSON would lose is refused, by where it sits, with the type to ask for', () => {
  const cycle: Record<string, unknown> = { list: [] }
  cycle['list'] = [cycle]
  const refused: [unknown, string][] = [
    [5n, 'result is a bigint'],
    [{ a: [1, NaN] }, 'result.a[1] is NaN'],
    [[-Infinity], 'result[0] is -Infinity'],
    [[1, undefined], 'result[1] is undefined'],
    [new Array(3), 'result[0] is undefined'],
    [{ at: new Date(0) }, 'result.at is a Date'],
    [{ 'odd key': new Map() }, 'result["odd key"] is a Map'],
    [[new Set()], 'result[0] is a Set'],
    [/x/, 'result is a RegExp'],
    [new Uint8Array(1), 'result is a Uint8Array'],
    [new TypeError('x'), 'result is a Error'],
    [cycle, 'result.list[0] is part of itself'],
  ]
  for (const [value, why] of refused) {
    throws(
      () => writeValue(value, 'result', 'plain'),
      (error: Error) =>
        error instanceof UnwritableError && error.message.startsWith(why) && /vnd\.coatcheck/.test(error.message),
      why,
    )
  }
})

test('a value that is shared within itself is written out, but not beyond all bounds', () => {
  const part = { a: 1 }
  equal(writeValue([part, part], 'result', 'plain'), '[{"a":1},{"a":1}]')
  let doubled: unknown = 'x'
  for (let i = 0; i < 64; i++) doubled = [doubled, doubled]
  throws(() => writeValue(doubled, 'result', 'plain'), /result is too large when written out/)
})

test('a value that is nested too deeply is refused', () => {
  let deep: unknown = 1
  for (let i = 0; i < 100_000; i++) deep = [deep]
  throws(() => writeValue(deep, 'result', 'plain'), /result is nested too deeply/)
})

test('what was thrown is told as far as it is JSON', () => {
  const cause = new TypeError('inner')
  const thrown = Object.assign(new RangeError('why', { cause }), { code: 'E_WHY', big: 5n, list: [1] })
  const { stack, ...told } = JSON.parse(writeCause(thrown, 'plain'))
  match(stack, /^RangeError: why/)
  delete told.cause.stack
  deepEqual(told, {
    name: 'RangeError',
    message: 'why',
    code: 'E_WHY',
    list: [1],
    cause: { name: 'TypeError', message: 'inner' },
  })
  equal(writeCause('text', 'plain'), '"text"')
  equal(writeCause(5n, 'plain'), '"5n"')
  const circle = new Error('circle')
  circle.cause = circle
  match(writeCause(circle, 'plain'), /circle/)
})
