import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { CommonParts } from '../../src/protocol/common-parts.ts'

/** Whether values may travel in one message, each list as one call's. */
function admitted(...lists: unknown[][]): boolean[] {
  const parts = new CommonParts()
  return lists.map((values) => parts.admit(values))
}

test('values without objects always go along', () => {
  equal(admitted([1, 'a'], [1, 'a'], [null, undefined], [10n], []).join(), 'true,true,true,true,true')
})

test('objects that are equal, but not the same, go along', () => {
  equal(admitted([{ a: 1 }], [{ a: 1 }], [[1]], [[1]]).join(), 'true,true,true,true')
})

test('an object that is there already does not go along', () => {
  const shared = {}
  equal(admitted([shared], [shared]).join(), 'true,false')
  equal(admitted([{}], [shared], [1], [2, shared]).join(), 'true,true,true,false')
})

test('one call may have the same object twice', () => {
  const shared = {}
  equal(admitted([shared, shared], [{}]).join(), 'true,true')
})

test('an object in common is found wherever it sits', () => {
  const shared = { a: 1 }
  const holders: unknown[] = [
    { inner: { shared } },
    [[shared]],
    new Map([[shared, 1]]),
    new Map([[1, { shared }]]),
    new Set([[shared]]),
    new Error('a', { cause: { shared } }),
    new (class {
      held = shared
    })(),
    Object.assign(Object.create(null), { shared }),
    Object.assign([], { shared }),
  ]
  for (const holder of holders) {
    equal(admitted([holder], [shared]).join(), 'true,false')
    equal(admitted([shared], [1, holder]).join(), 'true,false')
    equal(admitted([{}], [holder], [{ other: holder }]).join(), 'true,true,false')
  }
})

test('two views of one buffer have it in common', () => {
  const buffer = new ArrayBuffer(8)
  equal(admitted([new Uint8Array(buffer, 0, 4)], [new Uint8Array(buffer, 4)]).join(), 'true,false')
  equal(admitted([new Uint8Array(buffer)], [buffer]).join(), 'true,false')
  equal(admitted([new Uint8Array(8)], [new Uint8Array(8)]).join(), 'true,true')
})

test('what was refused is not there, and what was let in before still is', () => {
  const [shared, own] = [{}, {}]
  equal(admitted([shared], [shared, own], [own], [{ shared }]).join(), 'true,false,true,false')
})

test('cycles are looked at once', () => {
  const round: { self?: unknown } = {}
  round.self = { round }
  equal(admitted([round], [{}], [round]).join(), 'true,true,false')
})

test('after clear all is forgotten', () => {
  const shared = {}
  const parts = new CommonParts()
  equal(parts.admit([shared]), true)
  equal(parts.admit([{}]), true)
  equal(parts.admit([shared]), false)
  parts.clear()
  equal(parts.admit([shared]), true)
})

test('what has very many parts, or cannot be looked at, goes alone', () => {
  const many = Array.from({ length: 1_000 }, () => ({}))
  const hostile = {
    get a() {
      throw new Error('no')
    },
  }
  for (const value of [many, hostile, new Proxy({}, {})]) {
    equal(admitted([value]).join(), 'true')
    equal(admitted([{}], [value]).join(), 'true,false')
    equal(admitted([value], [{}]).join(), 'true,false')
  }
})
