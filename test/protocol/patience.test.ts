import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { Patience } from '../../src/protocol/patience.ts'

/** How many times in a row it is said that a look does not pay. */
function leftOut(patience: Patience): number {
  let count = 0
  while (!patience.isWorthIt) count += 1
  return count
}

test('it pays to look as long as something is found now and then', () => {
  const patience = new Patience(2)
  for (let i = 0; i < 100; i++) {
    equal(patience.isWorthIt, true)
    if (i % 4 === 0) patience.found()
    else patience.missed()
  }
})

test('after looks in vain more and more of them are left out, up to a limit', () => {
  const patience = new Patience(2)
  const pauses = Array.from({ length: 14 }, () => {
    patience.missed()
    return leftOut(patience)
  })
  deepEqual(pauses, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 64, 64, 64, 64])
})

test('one look that finds something sets all right again', () => {
  const patience = new Patience(2)
  for (let i = 0; i < 20; i++) {
    leftOut(patience)
    patience.missed()
  }
  leftOut(patience)
  patience.found()
  deepEqual(
    Array.from({ length: 3 }, () => {
      patience.missed()
      return leftOut(patience)
    }),
    [0, 0, 0],
  )
})

test('on one processor it never pays', () => {
  const patience = new Patience(1)
  patience.found()
  deepEqual(
    Array.from({ length: 100 }, () => patience.isWorthIt),
    Array<boolean>(100).fill(false),
  )
})
