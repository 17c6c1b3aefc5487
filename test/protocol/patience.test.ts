import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { Patience } from '../../src/protocol/patience.ts'

/** How many times in a row it is said that a look does not pay. */
function leftOut(patience: Patience): number {
  let count = 0
  while (!patience.isWorthIt) count += 1
  return count
}

/** A patience without any credit. */
function spent(): Patience {
  const patience = new Patience(2)
  for (let i = 0; i < 20; i++) {
    leftOut(patience)
    patience.missed()
  }
  leftOut(patience)
  return patience
}

test('it pays to look as long as something is found two times out of three', () => {
  const patience = new Patience(2)
  for (let i = 0; i < 300; i++) {
    equal(patience.isWorthIt, true, `look ${i}`)
    if (i % 3 === 0) patience.missed()
    else patience.found()
  }
})

test('it does not pay when something is found every other time', () => {
  const patience = new Patience(2)
  let left = 0
  for (let i = 0; i < 100; i++) {
    left += leftOut(patience)
    if (i % 2 === 0) patience.missed()
    else patience.found()
  }
  equal(left > 20, true, `${left} were left out`)
})

test('after looks in vain more and more of them are left out, up to a limit', () => {
  const patience = new Patience(2)
  const pauses = Array.from({ length: 12 }, () => {
    patience.missed()
    return leftOut(patience)
  })
  deepEqual(pauses, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 64, 64])
})

test('looks that find something set it right again', () => {
  const patience = spent()
  for (let i = 0; i < 5; i++) {
    equal(patience.isWorthIt, true)
    patience.found()
  }
  patience.missed()
  equal(patience.isWorthIt, true)
})

test('on one processor it never pays', () => {
  const patience = new Patience(1)
  patience.found()
  deepEqual(
    Array.from({ length: 100 }, () => patience.isWorthIt),
    Array<boolean>(100).fill(false),
  )
})
