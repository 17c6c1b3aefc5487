import { doesNotThrow, throws } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkEncodedError, checkLogValues } from '../../src/protocol/check-encoded.ts'
import { encodeError } from '../../src/protocol/encoded-error.ts'
import { encodeLogValue } from '../../src/protocol/log-values.ts'

/** Values, errors, and errors with errors in them, some of them in several places. */
const { thrown } = fc.letrec<{ thrown: unknown; error: Error }>((tie) => ({
  thrown: fc.oneof({ depthSize: 'small' }, fc.anything(), tie('error')),
  error: fc
    .tuple(fc.string(), fc.option(tie('thrown')), fc.array(tie('thrown'), { maxLength: 3 }), fc.boolean())
    .map(([message, cause, errors, isTwice]) => {
      const all = isTwice ? [...errors, ...errors] : errors
      return Object.assign(new AggregateError(all, message, { cause }), { own: cause, first: all[0] })
    }),
}))

test('whatever is encoded of what was thrown is taken for that', () => {
  fc.assert(
    fc.property(thrown, (value) => doesNotThrow(() => checkEncodedError(structuredClone(encodeError(value))))),
    { numRuns: 1_000 },
  )
})

test('whatever is encoded for a log line is taken for that', () => {
  const line = fc.oneof(thrown, fc.dictionary(fc.string(), thrown))
  fc.assert(
    fc.property(line, (value) =>
      doesNotThrow(() => checkLogValues(structuredClone([value, value].map(encodeLogValue)))),
    ),
    { numRuns: 1_000 },
  )
})

test('the longest chain of causes that is encoded is taken, and a longer one is not', () => {
  let error = new Error('the first')
  for (let i = 0; i < 100; i++) error = new Error(`after ${i}`, { cause: error })
  const encoded = encodeError(error)
  doesNotThrow(() => checkEncodedError(encoded))
  throws(() => checkEncodedError({ ...encoded, properties: [], errors: [], cause: encoded }), /too deep/)
})

test('a log line whose values have a part in common stands for more than it is, and is not taken', () => {
  const [error, properties] = [new Error('again'), { a: 1 }].map(encodeLogValue)
  for (const value of [error, properties]) throws(() => checkLogValues([value, value]), /in two places/)
})
