import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  CallError,
  type CallErrorCode,
  type CallId,
  type CallStatus,
  type FunctionArgs,
  type FunctionName,
  type Runner,
  type StartOptions,
  type Started,
} from '../../src/index.ts'
import { until } from '../helpers/latch.ts'
import type { Calls } from './place.ts'

/** Asserts that the call has not ended, and gives its ID. */
export function idOf(status: CallStatus): CallId {
  assert.ok(!status.finished, 'the call has not ended')
  return status.id
}

/** Asserts that the call ended with a value, and gives it. */
export function valueOf<T>(status: CallStatus<T>): T {
  assert.ok(status.finished, 'the call has ended')
  if (!status.ok) throw new Error('the call failed', { cause: status.error })
  return status.value
}

/** Asserts that the call failed with this code, and gives the error. */
export function errorOf(status: CallStatus, code: CallErrorCode): CallError {
  assert.ok(status.finished && !status.ok, 'the call has failed')
  return callError(status.error, code)
}

/** Asserts that the promise rejects with a `CallError` of this code, and gives the error. */
export async function refused(promise: Promise<unknown>, code: CallErrorCode): Promise<CallError> {
  return callError(await thrownBy(promise), code)
}

/** Asserts that the promise rejects, and gives what it rejects with. */
export async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  const [settled] = await Promise.allSettled([promise])
  assert.equal(settled.status, 'rejected')
  return (settled as PromiseRejectedResult).reason
}

function callError(error: unknown, code: CallErrorCode): CallError {
  assert.ok(error instanceof CallError, `a CallError, got ${String(error)}`)
  assert.equal(error.code, code, error.message)
  assert.equal(error.name, 'CallError')
  assert.notEqual(error.message, '')
  return error
}

/** What a failed call tells beside its code. */
export function factsOf({ fn, started, retryable, step }: CallError): {
  fn: string | undefined
  started: Started
  retryable: boolean
  step?: string
} {
  return { fn, started, retryable, ...(step !== undefined && { step }) }
}

/** Resolves when the call's function has begun. */
export async function untilRunning(runner: Runner<Calls>, id: CallId): Promise<void> {
  await until('a call that runs', async () => {
    const status = await runner.wait(id, { timeout: 0 })
    assert.ok(!status.finished, 'the call has not ended')
    return status.state === 'running'
  })
}

/** Resolves when the call's function has reported this progress. */
export async function untilProgress(runner: Runner<Calls>, id: CallId, progress: unknown): Promise<void> {
  await until(`progress ${String(progress)}`, async () => {
    const status = await runner.wait(id, { timeout: 0 })
    assert.ok(!status.finished, 'the call has not ended')
    return status.progress === progress
  })
}

/** Starts a call, does not wait for it, and gives its ID. */
export async function begin<K extends FunctionName<Calls>>(
  runner: Runner<Calls>,
  fn: K,
  args: FunctionArgs<Calls, K>,
  options?: StartOptions,
): Promise<CallId> {
  return idOf(await runner.start(fn, args, { ...options, timeout: 0 }))
}

/** Starts calls one after another, so that they are admitted in this order, and gives their IDs. */
export async function beginAll<K extends FunctionName<Calls>>(
  runner: Runner<Calls>,
  fn: K,
  calls: FunctionArgs<Calls, K>[],
): Promise<CallId[]> {
  const ids: CallId[] = []
  for (const args of calls) ids.push(await begin(runner, fn, args))
  return ids
}

/** The ID of the one call that there is. */
export function onlyCall(runner: Runner<Calls>): Promise<CallId> {
  return until('a call', async () => {
    const { calls } = await runner.list()
    assert.ok(calls.length <= 1)
    return calls[0]?.id
  })
}

/** Waits until the call has ended. */
export function end(runner: Runner<Calls>, id: CallId): Promise<CallStatus> {
  return runner.wait(id, { timeout: Infinity })
}

/** Whether the promise is still pending after what has settled by now was heard of. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  return (await Promise.race([promise, nextTurn(pending)])) === pending
}
