import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { CallError, functionNotFound } from '../../src/model/errors.ts'

test('a CallError is an error of its own name', () => {
  const error = new CallError('QUEUE_FULL', 'too many')
  ok(error instanceof Error)
  equal(String(error), 'CallError: too many')
  ok(error.stack?.startsWith('CallError: too many\n'))
})

test('a code brings what is known of every such error', () => {
  const { retryable, started } = new CallError('QUEUE_FULL', '')
  deepEqual({ retryable, started }, { retryable: true, started: 'no' })
  const lost = new CallError('CALL_LOST', '')
  deepEqual([lost.retryable, lost.started], [false, 'unknown'])
})

test('who raises the error may know better', () => {
  const error = new CallError('WORKER_CRASHED', '', { retryable: true, started: 'no', fn: 'work' })
  deepEqual([error.retryable, error.started, error.fn], [true, 'no', 'work'])
})

test('details that do not apply leave no properties', () => {
  const keys = Object.keys(new CallError('ABORTED', '', { step: 'killed' }))
  ok(keys.includes('step'))
  for (const key of ['exitCode', 'signal', 'stderr', 'name', 'cause']) ok(!keys.includes(key), key)
})

test('a cause is kept, also one that is undefined', () => {
  const cause = new RangeError('why')
  equal(new CallError('FUNCTION_THREW', '', { cause }).cause, cause)
  ok('cause' in new CallError('FUNCTION_THREW', '', { cause: undefined }))
  ok(!('cause' in new CallError('FUNCTION_THREW', '')))
})

test('a function that is not there is answered with those that are', () => {
  const error = functionNotFound('resise', new Set(['resize', 'crop']))
  equal(error.code, 'FUNCTION_NOT_FOUND')
  equal(error.fn, 'resise')
  equal(error.message, 'there is no function "resise"; the functions module exports resize, crop')
})
