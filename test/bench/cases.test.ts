import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { CASES } from '../../bench/cases/cases.ts'
import { REFERENCE } from '../../bench/contenders/contenders.ts'

test('each case measures what it holds its contenders against', () => {
  const without = Object.entries(CASES).filter(
    ([, { contenders, reference = REFERENCE }]) => !contenders.includes(reference),
  )
  deepEqual(without, [])
})

test('no case measures a contender twice', () => {
  const doubled = Object.entries(CASES).filter(([, { contenders }]) => new Set(contenders).size < contenders.length)
  deepEqual(doubled, [])
})
