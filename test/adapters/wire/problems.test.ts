import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { createProblem, errorOf, isProblem, kindOf, problemOf } from '../../../src/adapters/wire/problems.ts'
import { CallError, type CallErrorCode } from '../../../src/index.ts'

test('what a runner refuses becomes a problem, and an error of the same code again', () => {
  const statuses: Partial<Record<CallErrorCode, number>> = {
    FUNCTION_NOT_FOUND: 404,
    NOT_CLONEABLE: 422,
    QUEUE_FULL: 429,
    RUNNER_CLOSED: 503,
    CALL_UNKNOWN: 404,
    CALL_EXPIRED: 410,
    CALL_LOST: 410,
    CALL_RUNNING: 409,
    KEY_REUSED: 422,
    SPAWN_FAILED: 503,
    NOT_PERMITTED: 401,
  }
  for (const [code, status] of Object.entries(statuses) as [CallErrorCode, number][]) {
    const error = new CallError(code, 'why', { fn: 'work' })
    const problem = problemOf(error)
    equal(problem?.status, status, code)
    deepEqual({ ...errorOf(problem) }, { ...error })
  }
})

test('how an admitted call ended is no problem', () => {
  equal(problemOf(new CallError('FUNCTION_THREW', 'x')), undefined)
})

test('a problem names its cause, whether to try again, and whether anything was started', () => {
  const problem = createProblem('too-many-waits', 'you have 5 waits under way', { fn: 'work' })
  deepEqual(problem, {
    type: 'urn:coatcheck:problem:too-many-waits',
    title: 'Too many waits at once',
    status: 429,
    detail: 'you have 5 waits under way',
    retryable: true,
    started: 'no',
    code: 'NOT_PERMITTED',
    fn: 'work',
  })
  equal(kindOf(problem), 'too-many-waits')
  equal(errorOf(problem).code, 'NOT_PERMITTED')
})

test('a problem of others is told from ours, and other bodies from problems', () => {
  equal(kindOf({ ...createProblem('forbidden', ''), type: 'about:blank' }), undefined)
  equal(kindOf({ ...createProblem('forbidden', ''), type: 'urn:coatcheck:problem:toString' }), undefined)
  equal(isProblem(createProblem('forbidden', 'no')), true)
  for (const body of [undefined, null, 'text', {}, { type: 'x', status: '400', detail: '' }])
    equal(isProblem(body), false)
})
