import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { decodeLogValue, encodeLogValue } from '../../src/protocol/log-values.ts'

function travel(value: unknown): unknown {
  return decodeLogValue(structuredClone(encodeLogValue(value)))
}

class QuotaError extends Error {
  limit = 5
}

test('what can travel comes back as it is', () => {
  for (const value of [
    'text',
    5,
    null,
    undefined,
    true,
    10n,
    { a: 1, b: { c: [2] } },
    [1, 2],
    new Date(0),
    new Map([[1, 2]]),
  ]) {
    deepEqual(travel(value), value)
  }
})

test('an error comes back with its class, properties and cause', () => {
  const error = travel(new QuotaError('over', { cause: new RangeError('why') }))
  ok(error instanceof Error)
  deepEqual([error.name, error.message, { ...error }], ['QuotaError', 'over', { limit: 5 }])
  ok(error.cause instanceof RangeError)
})

test('an error among the properties of a line comes back, with the other properties', () => {
  const line = travel({ err: new QuotaError('over'), part: 3, nested: { a: 1 } }) as {
    err: Error
    part: number
    nested: object
  }
  ok(line.err instanceof Error)
  deepEqual([line.err.name, line.part, line.nested], ['QuotaError', 3, { a: 1 }])
})

test('what cannot travel comes back as text, and takes nothing along', () => {
  match(travel(() => 1) as string, /^\[Function/)
  equal(travel(Symbol('s')), 'Symbol(s)')
  const line = travel({ save: () => 1, deep: { save: () => 1 }, part: 3 }) as Record<string, unknown>
  match(line['save'] as string, /^\[Function/)
  match(line['deep'] as string, /save/)
  equal(line['part'], 3)
})

test('nothing that is logged can make it throw', () => {
  const trap = (): never => {
    throw Object.create(null)
  }
  const hostile = new Proxy(
    {},
    { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap },
  )
  const getter = Object.defineProperty({ part: 3 }, 'lazy', { enumerable: true, get: trap })
  for (const value of [
    hostile,
    { hostile },
    [hostile],
    getter,
    Object.create(null),
    new Proxy(new Error('a'), { get: trap }),
  ]) {
    travel(value)
  }
  equal((travel(getter) as { part: number }).part, 3)
})

test('a property that looks like an encoded error is what it is', () => {
  const value = { '$coatcheck.error': 'not an error' }
  deepEqual(travel(value), value)
  deepEqual(travel({ part: value }), { part: value })
})
