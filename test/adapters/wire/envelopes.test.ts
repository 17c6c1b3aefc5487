import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { readCallError } from '../../../src/adapters/wire/call-errors.ts'
import { readCall, readInfo, writeCall, writeInfo } from '../../../src/adapters/wire/envelopes.ts'
import type { Form } from '../../../src/adapters/wire/media.ts'
import { UnreadableError } from '../../../src/adapters/wire/values.ts'
import { CallError, type CallId, type CallInfo, type CallStatus } from '../../../src/index.ts'

const ID: CallId = `1:2:3.5:${'a'.repeat(40)}`
const FORMS: readonly Form[] = ['plain', 'rich']

function arrive(status: CallStatus, form: Form): CallStatus {
  return readCall(JSON.parse(writeCall('work', status, form)), form)
}

test('a status arrives as it was, in both forms', () => {
  const statuses: CallStatus[] = [
    { finished: false, id: ID, state: 'queued' },
    { finished: false, id: ID, state: 'running', progress: { done: 5 } },
    { finished: true, ok: true, value: [1, 'two', null] },
    { finished: true, ok: true, value: undefined, id: ID },
  ]
  for (const form of FORMS) for (const status of statuses) deepEqual(arrive(status, form), status)
})

test('the rich form carries values that JSON does not', () => {
  const value = new Map([[5n, new Date(0)]])
  deepEqual(arrive({ finished: true, ok: true, value }, 'rich'), { finished: true, ok: true, value })
})

test('a plain envelope is what other languages expect', () => {
  const status: CallStatus = { finished: true, ok: true, value: { sum: 3 }, id: ID }
  deepEqual(JSON.parse(writeCall('add', status, 'plain')), {
    id: ID,
    fn: 'add',
    finished: true,
    ok: true,
    value: { sum: 3 },
  })
})

test('an error arrives with all that it says', () => {
  const facts = { fn: 'work', id: ID, exitCode: 5, signal: 'SIGKILL', stderr: 'last words', step: 'killed' } as const
  const error = new CallError('ABORTED', 'why', { ...facts, retryable: true, started: 'unknown', cause: 'reason' })
  for (const form of FORMS) {
    const arrived = arrive({ finished: true, ok: false, error, id: ID }, form)
    ok(arrived.finished && !arrived.ok)
    deepEqual({ ...arrived.error }, { ...error })
    deepEqual([arrived.error.message, arrived.error.cause, arrived.id], ['why', 'reason', ID])
    ok(arrived.error instanceof CallError)
  }
})

test('what a function threw arrives as an error in the rich form', () => {
  const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER' })
  const error = new CallError('FUNCTION_THREW', 'threw', { cause })
  const arrived = arrive({ finished: true, ok: false, error }, 'rich')
  ok(arrived.finished && !arrived.ok && arrived.error.cause instanceof TypeError)
  deepEqual({ ...arrived.error.cause }, { code: 'E_INNER' })
})

test('that a function threw undefined can be told from no cause', () => {
  const thrown = arrive(
    { finished: true, ok: false, error: new CallError('FUNCTION_THREW', 'x', { cause: undefined }) },
    'rich',
  )
  const without = arrive({ finished: true, ok: false, error: new CallError('WORKER_CRASHED', 'x') }, 'rich')
  ok(thrown.finished && !thrown.ok && without.finished && !without.ok)
  deepEqual(['cause' in thrown.error, 'cause' in without.error], [true, false])
})

test('an error of a code that is not known is refused', () => {
  const json = { code: 'toString', message: '', retryable: false, started: 'no' } as const
  throws(() => readCallError(json, 'plain'), UnreadableError)
})

test('a row of a list arrives, without the progress that its form cannot carry', () => {
  const row: CallInfo = { id: ID, fn: 'work', priority: 0, admittedAt: 5, state: 'running', startedAt: 6, progress: 7n }
  const { progress: _progress, ...others } = row
  deepEqual(readInfo(JSON.parse(writeInfo(row, 'rich')), 'rich'), row)
  deepEqual(readInfo(JSON.parse(writeInfo(row, 'plain')), 'plain'), others)
  equal(writeInfo({ ...row, progress: [1] }, 'plain').endsWith(',"progress":[1]}'), true)
})
