import type { Transferable } from 'node:worker_threads'
import { checkBoolean, checkInteger, checkOptions, checkSignal, checkString, show } from '../model/check.ts'
import { CallError } from '../model/errors.ts'
import { checkPriority, DEFAULT_LIST_LIMIT, DEFAULT_TIMEOUT, MAX_LIST_LIMIT } from '../model/options.ts'
import type { CancelOptions, CloseOptions, ListOptions, StartOptions, WaitOptions } from '../model/runner.ts'
import type { CallState } from '../model/status.ts'
import { checkDuration, checkTimeout } from '../model/timeouts.ts'
import { textOf } from '../protocol/encoded-error.ts'

// What callers hand in, checked at the door of every place to run: each of these throws before anything is admitted.

/** What `start` and `call` take for a call. What was left out is as it was before they were read. */
export interface CallSettings {
  timeout: number | undefined
  abortAfter: number | undefined
  grace: number | undefined
  retain: number | undefined
  priority: number | undefined
  transfer: readonly Transferable[] | undefined
  signal: AbortSignal | undefined
  /** Whether the outcome is kept even if nobody was given the call's ID. */
  keep: boolean
  idempotencyKey: string | undefined
}

const CALL_KEYS = ['abortAfter', 'grace', 'priority', 'signal', 'transfer']
const START_KEYS = ['timeout', 'retain', 'idempotencyKey', ...CALL_KEYS]

/** Options of `call` and `start` as they may really be: nothing of them is known before it is checked. */
type Given<T> = { [K in keyof T]?: unknown }

/** The function and the arguments of a call. The arguments are a list of our own, which does not change and has no getters. */
export function readFunction(fn: unknown, args: unknown): { fn: string; args: unknown[] } {
  if (typeof fn !== 'string') throw new TypeError(`fn must be the name of a function, got ${show(fn)}`)
  if (!Array.isArray(args)) {
    throw new TypeError(`args must be an array of positional arguments, such as ['a', 1]; got ${show(args)}`)
  }
  return { fn, args: ownArgs(fn, args) }
}

function ownArgs(fn: string, args: readonly unknown[]): unknown[] {
  try {
    return [...args]
  } catch (error) {
    throw new CallError('NOT_CLONEABLE', `args cannot be read: ${textOf(error)}`, { fn, cause: error })
  }
}

/** Reads the options of `start` or `call` into `settings`. */
export function readCallOptions(method: 'call' | 'start', given: unknown, settings: CallSettings): void {
  checkOptions(`${method} options`, given, method === 'call' ? CALL_KEYS : START_KEYS)
  const options = given as Given<StartOptions>
  const { timeout, abortAfter, grace, retain, priority, signal, transfer, idempotencyKey } = options
  if (timeout !== undefined) settings.timeout = checkTimeout('timeout', timeout)
  // Nobody waits for it: whoever comes back for it must find it, however soon it ended.
  if (settings.timeout === 0) settings.keep = true
  if (abortAfter !== undefined) settings.abortAfter = checkDuration('abortAfter', abortAfter)
  if (grace !== undefined) settings.grace = checkTimeout('grace', grace)
  if (priority !== undefined) settings.priority = checkPriority('priority', priority)
  if (signal !== undefined) settings.signal = checkSignal('signal', signal)
  if (transfer !== undefined) settings.transfer = checkTransfer(transfer)
  if (idempotencyKey !== undefined) settings.idempotencyKey = checkString('idempotencyKey', idempotencyKey)
  if (retain !== undefined) {
    settings.retain = checkTimeout('retain', retain)
    settings.keep = true
  }
}

function checkTransfer(value: unknown): readonly Transferable[] | undefined {
  if (!Array.isArray(value))
    throw new TypeError(`transfer must be an array of ArrayBuffers and the like, got ${show(value)}`)
  for (const [i, item] of value.entries()) {
    if (!TRANSFERABLE.has(Object(item).constructor?.name)) {
      const hint = ArrayBuffer.isView(item) ? '; hand in its `.buffer`' : ''
      const right = 'an ArrayBuffer, MessagePort, stream or FileHandle'
      throw new TypeError(`transfer[${i}] must be ${right}, got ${show(item)}${hint}`)
    }
    if (value.indexOf(item) !== i) throw new TypeError(`transfer[${i}] is in the list twice`)
    if (item instanceof ArrayBuffer && item.detached) throw new TypeError(`transfer[${i}] was transferred before`)
  }
  // Of our own, which does not change.
  return value.length === 0 ? undefined : [...value]
}

/** Refuses what only threads can hand to one another. `where` says where the calls run. */
export function checkBuffers(transfer: readonly Transferable[], where: string): asserts transfer is ArrayBuffer[] {
  for (const [i, item] of transfer.entries()) {
    if (item instanceof ArrayBuffer) continue
    throw new TypeError(`transfer[${i}] must be an ArrayBuffer where calls run ${where}, got ${show(item)}`)
  }
}

const TRANSFERABLE = new Set([
  'ArrayBuffer',
  'MessagePort',
  'ReadableStream',
  'WritableStream',
  'TransformStream',
  'FileHandle',
])

export function readWait(given: WaitOptions = {}): { timeout: number; signal: AbortSignal | undefined } {
  checkOptions('wait options', given, ['timeout', 'signal'])
  const { timeout, signal } = given
  return {
    timeout: timeout === undefined ? DEFAULT_TIMEOUT : checkTimeout('timeout', timeout),
    signal: signal === undefined ? undefined : checkSignal('signal', signal),
  }
}

export function readCancel(given: CancelOptions = {}): { reason: unknown; grace: number | undefined } {
  checkOptions('cancel options', given, ['reason', 'grace'])
  const { reason, grace } = given
  return { reason, grace: grace === undefined ? undefined : checkTimeout('grace', grace) }
}

export function readClose(given: CloseOptions = {}): { abort: boolean; grace: number | undefined } {
  checkOptions('close options', given, ['abort', 'grace'])
  const { abort, grace } = given
  return {
    abort: abort === undefined ? false : checkBoolean('abort', abort),
    grace: grace === undefined ? undefined : checkTimeout('grace', grace),
  }
}

const STATES = ['queued', 'running', 'finished'] as const

export interface ListRequest {
  state: CallState | undefined
  fn: string | undefined
  limit: number
  cursor: string | undefined
}

export function readList(given: ListOptions = {}): ListRequest {
  checkOptions('list options', given, ['state', 'fn', 'limit', 'cursor'])
  const { state, fn, limit, cursor } = given
  if (state !== undefined && !STATES.includes(state)) {
    throw new TypeError(`state must be one of ${STATES.join(', ')}; got ${show(state)}`)
  }
  if (fn !== undefined) checkString('fn', fn)
  if (cursor !== undefined) checkCursor(cursor)
  return {
    state,
    fn,
    limit: limit === undefined ? DEFAULT_LIST_LIMIT : checkInteger('limit', limit, 1, MAX_LIST_LIMIT),
    cursor,
  }
}

function checkCursor(cursor: unknown): void {
  if (typeof cursor === 'string' && /^\d{1,15}$/.test(cursor)) return
  throw new TypeError(`cursor must be the cursor of the page before, got ${show(cursor)}`)
}

export function readId(id: unknown): string {
  if (typeof id !== 'string') throw new TypeError(`id must be a call ID, a string; got ${show(id)}`)
  return id
}
