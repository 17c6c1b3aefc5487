// Checked by `npm run types`, never run: what may be asked of a runner, and what it answers.

import {
  CallError,
  type CallErrorCode,
  type CallId,
  type CallInfo,
  type CallPage,
  type CallStatus,
  type Runner,
  type RunnerStats,
  type Started,
} from '../../src/index.ts'
import { holds, type Same } from './same.ts'

declare const runner: Runner<{ add(a: number, b: number): number }>
declare const signal: AbortSignal
declare const id: CallId
const args: [number, number] = [1, 2]

export async function start(): Promise<void> {
  const idempotencyKey = 'key'
  const all = { timeout: 5, abortAfter: 5, grace: 5, retain: 5, priority: 5, signal, transfer: [], idempotencyKey }
  await runner.start('add', args, all)
  await runner.start('add', args, {})
  await runner.start('add', args, { timeout: Infinity, transfer: [new ArrayBuffer(8)] })
  // @ts-expect-error no such option
  await runner.start('add', args, { timout: 5 })
  // @ts-expect-error a span of time is a number
  await runner.start('add', args, { timeout: '5s' })
  // @ts-expect-error left out, not undefined
  await runner.start('add', args, { timeout: undefined })
  // @ts-expect-error a priority is a number
  await runner.start('add', args, { priority: 'high' })
  // @ts-expect-error a controller is no signal
  await runner.start('add', args, { signal: new AbortController() })
  // @ts-expect-error a list is transferred
  await runner.start('add', args, { transfer: new ArrayBuffer(8) })
  // @ts-expect-error a text cannot be transferred
  await runner.start('add', args, { transfer: ['text'] })
  // @ts-expect-error a key is a string
  await runner.start('add', args, { idempotencyKey: 5 })
}

export async function call(): Promise<void> {
  await runner.call('add', args, { abortAfter: 5, grace: 5, priority: 5, signal, transfer: [] })
  // @ts-expect-error call waits until the end
  await runner.call('add', args, { timeout: 5 })
  // @ts-expect-error call keeps nothing
  await runner.call('add', args, { retain: 5 })
  // @ts-expect-error call keeps nothing, so a key has nothing to stand for
  await runner.call('add', args, { idempotencyKey: 'key' })
}

export async function others(): Promise<void> {
  await runner.wait(id)
  await runner.wait('any string may be an ID', { timeout: 5, signal })
  // @ts-expect-error an ID is a string
  await runner.wait(5)
  // @ts-expect-error an ID is needed
  await runner.wait()
  // @ts-expect-error no such option
  await runner.wait(id, { abortAfter: 5 })

  await runner.cancel(id, { reason: new Error('any value'), grace: 5 })
  // @ts-expect-error no such option
  await runner.cancel(id, { timeout: 5 })
  // @ts-expect-error options are an object
  await runner.cancel(id, 'no longer needed')

  await runner.list({ state: 'running', fn: 'add', limit: 5, cursor: 'cursor' })
  // @ts-expect-error no such state
  await runner.list({ state: 'done' })
  // @ts-expect-error a cursor is a string
  await runner.list({ cursor: 5 })

  const forgotten = await runner.forget(id)
  holds<Same<typeof forgotten, void>>()
  // @ts-expect-error an ID is needed
  await runner.forget()

  await runner.close({ abort: true, grace: 5 })
  // @ts-expect-error true or false
  await runner.close({ abort: 'yes' })
  // @ts-expect-error no such option
  await runner.close({ force: true })
}

export async function answers(): Promise<void> {
  const status = await runner.start('add', args)
  // @ts-expect-error a call that may not have ended has no value yet
  void status.value
  // @ts-expect-error nor an error
  void status.error
  if (!status.finished) {
    holds<Same<typeof status.id, CallId>>()
    holds<Same<typeof status.state, 'queued' | 'running'>>()
    holds<Same<typeof status.progress, unknown>>()
    // @ts-expect-error it has not ended
    void status.ok
  } else if (status.ok) {
    holds<Same<typeof status.value, number>>()
    holds<Same<typeof status.id, CallId | undefined>>()
    // @ts-expect-error it has a value, not an error
    void status.error
  } else {
    holds<Same<typeof status.error, CallError>>()
    holds<Same<typeof status.id, CallId | undefined>>()
    // @ts-expect-error it has an error, not a value
    void status.value
  }

  // Whoever does not wait is given an ID, or may find the call ended; it is kept in any case.
  const begun = await runner.start('add', args, { timeout: 0 })
  holds<Same<typeof begun.id, CallId>>()

  const waited = await runner.wait(id)
  holds<Same<typeof waited, CallStatus<unknown>>>()
  const known = await runner.wait<string>(id)
  holds<Same<typeof known, CallStatus<string>>>()
  const cancelled = await runner.cancel(id)
  holds<Same<typeof cancelled, CallStatus<unknown>>>()
  const page = await runner.list()
  holds<Same<typeof page, CallPage>>()
  const stats = runner.stats()
  holds<Same<typeof stats, RunnerStats>>()
}

export function rows(info: CallInfo): void {
  holds<Same<typeof info.id, CallId>>()
  holds<Same<typeof info.admittedAt, number>>()
  // @ts-expect-error a call that is queued has not started
  void info.startedAt
  if (info.state === 'running') holds<Same<typeof info.startedAt, number>>()
  if (info.state === 'finished') {
    holds<Same<typeof info.ok, boolean>>()
    holds<Same<typeof info.startedAt, number | undefined>>()
    holds<Same<typeof info.finishedAt, number>>()
  }
}

export function errors(error: CallError): void {
  holds<Same<typeof error.code, CallErrorCode>>()
  holds<Same<typeof error.started, Started>>()
  holds<Same<typeof error.retryable, boolean>>()
  holds<Same<typeof error.cause, unknown>>()
  if (error.code === 'QUEUE_FULL') void error
  // @ts-expect-error no such code
  if (error.code === 'QUEUE_OVERFLOW') void error
  // @ts-expect-error a code is for reading
  error.code = 'ABORTED'
}

export function ids(): void {
  const made: CallId = '1:2:3.5:abc'
  // @ts-expect-error not the form of an ID
  const wrong: CallId = 'abc'
  void [made, wrong]
}

export async function disposal(): Promise<void> {
  const disposable: AsyncDisposable = runner
  await disposable[Symbol.asyncDispose]()
}
