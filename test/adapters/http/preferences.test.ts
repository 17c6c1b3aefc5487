import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { appliedWait } from '../../../src/adapters/http/preferences.ts'

test('a wait is as long as was asked for, and never longer than 29 s', () => {
  deepEqual(appliedWait(undefined, undefined), { ms: 10_000, preference: undefined })
  deepEqual(appliedWait(0, 'wait=5'), { ms: 0, preference: undefined })
  deepEqual(appliedWait(0.2, undefined), { ms: 1, preference: undefined })
  deepEqual(appliedWait(Number.MAX_VALUE, undefined), { ms: 29_000, preference: undefined })
})

test('the Prefer header is read as RFC 7240 has it', () => {
  deepEqual(appliedWait(undefined, 'wait=5'), { ms: 5_000, preference: 'wait=5' })
  deepEqual(appliedWait(undefined, 'respond-async, wait="7"; x=1'), { ms: 7_000, preference: 'wait=7' })
  deepEqual(appliedWait(undefined, 'Wait = 100'), { ms: 29_000, preference: 'wait=29' })
  deepEqual(appliedWait(undefined, 'wait=1, wait=9'), { ms: 1_000, preference: 'wait=1' })
  deepEqual(appliedWait(undefined, 'handling=lenient, respond-async'), { ms: 0, preference: 'respond-async' })
})

test('what is no preference of a wait is passed over', () => {
  for (const prefer of ['', 'wait', 'wait=-1', 'wait=1.5', 'wait=x', 'return=minimal', ',;=']) {
    deepEqual(appliedWait(undefined, prefer), { ms: 10_000, preference: undefined }, prefer)
  }
})
