import type { Transferable } from 'node:worker_threads'
import { checkBoolean, checkInteger, checkOptions, checkSignal, checkString, show } from '../model/check.ts'
import { CallError } from '../model/errors.ts'
import {
  checkPriority,
  DEFAULT_LIST_LIMIT,
  DEFAULT_TIMEOUT,
  MAX_LIST_LIMIT,
  type CallDefaults,
  type ResolvedFunctionOptions,
} from '../model/options.ts'
import type { CancelOptions, CloseOptions, ListOptions, StartOptions, WaitOptions } from '../model/runner.ts'
import { checkDuration, checkTimeout } from '../model/timeouts.ts'
import { findUncloneable } from '../protocol/cloneable.ts'
import { textOf } from '../protocol/encoded-error.ts'
import type { CallFilter } from '../table/call-table.ts'

// What callers hand in, checked at the door: each of these throws before anything is admitted.

/** A call that somebody asks for, with every default in place. */
export interface CallRequest extends Required<CallDefaults> {
  fn: string
  args: readonly unknown[]
  transfer: readonly Transferable[] | undefined
  signal: AbortSignal | undefined
  /** Whether the outcome is kept even if nobody was given the call's ID. */
  keep: boolean
  idempotencyKey: string | undefined
  timeout: number
}

const CALL_KEYS = ['abortAfter', 'grace', 'priority', 'signal', 'transfer']
const START_KEYS = ['timeout', 'retain', 'idempotencyKey', ...CALL_KEYS]

/** Options of `call` and `start` as they may really be: nothing of them is known before it is checked. */
type Given<T> = { [K in keyof T]?: unknown }

export function readCall(
  method: 'call' | 'start',
  fn: unknown,
  args: unknown,
  given: unknown,
  defaults: ResolvedFunctionOptions,
): CallRequest {
  if (typeof fn !== 'string') throw new TypeError(`fn must be the name of a function, got ${show(fn)}`)
  if (!Array.isArray(args)) {
    throw new TypeError(`args must be an array of positional arguments, such as ['a', 1]; got ${show(args)}`)
  }
  const request: CallRequest = {
    fn,
    args: ownArgs(fn, args),
    transfer: undefined,
    signal: undefined,
    keep: false,
    idempotencyKey: undefined,
    timeout: method === 'call' ? Infinity : DEFAULT_TIMEOUT,
    abortAfter: defaults.abortAfter,
    grace: defaults.grace,
    retain: defaults.retain,
    priority: defaults.priority,
  }
  const reach = defaults.isolation === 'thread' ? 'threads' : 'processes'
  if (given !== undefined) readCallOptions(method, given, request)
  if (reach === 'processes' && request.transfer) checkMovableToProcess(request.transfer)
  const uncloneable = findUncloneable(request.args, 'args', request.transfer, reach)
  if (uncloneable) {
    const { path, what } = uncloneable
    throw new CallError('NOT_CLONEABLE', `${path} is ${what}, which cannot travel between ${reach}`, { fn })
  }
  return request
}

/** A list of our own, which does not change and has no getters. */
function ownArgs(fn: string, args: readonly unknown[]): unknown[] {
  try {
    return [...args]
  } catch (error) {
    throw new CallError('NOT_CLONEABLE', `args cannot be read: ${textOf(error)}`, { fn, cause: error })
  }
}

function readCallOptions(method: 'call' | 'start', given: unknown, request: CallRequest): void {
  checkOptions(`${method} options`, given, method === 'call' ? CALL_KEYS : START_KEYS)
  const options = given as Given<StartOptions>
  const { timeout, abortAfter, grace, retain, priority, signal, transfer, idempotencyKey } = options
  if (timeout !== undefined) request.timeout = checkTimeout('timeout', timeout)
  // Nobody waits for it: whoever comes back for it must find it, however soon it ended.
  if (request.timeout === 0) request.keep = true
  if (abortAfter !== undefined) request.abortAfter = checkDuration('abortAfter', abortAfter)
  if (grace !== undefined) request.grace = checkTimeout('grace', grace)
  if (priority !== undefined) request.priority = checkPriority('priority', priority)
  if (signal !== undefined) request.signal = checkSignal('signal', signal)
  if (transfer !== undefined) request.transfer = checkTransfer(transfer)
  if (idempotencyKey !== undefined) request.idempotencyKey = checkString('idempotencyKey', idempotencyKey)
  if (retain !== undefined) {
    request.retain = checkTimeout('retain', retain)
    request.keep = true
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
  return value.length === 0 ? undefined : value
}

function checkMovableToProcess(transfer: readonly Transferable[]): void {
  for (const [i, item] of transfer.entries()) {
    if (item instanceof ArrayBuffer) continue
    throw new TypeError(`transfer[${i}] must be an ArrayBuffer where calls run in processes, got ${show(item)}`)
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

export function readList(given: ListOptions = {}): CallFilter {
  checkOptions('list options', given, ['state', 'fn', 'limit', 'cursor'])
  const { state, fn, limit, cursor } = given
  if (state !== undefined && !STATES.includes(state)) {
    throw new TypeError(`state must be one of ${STATES.join(', ')}; got ${show(state)}`)
  }
  if (fn !== undefined) checkString('fn', fn)
  return {
    state,
    fn,
    after: cursor === undefined ? 0 : readCursor(cursor),
    limit: limit === undefined ? DEFAULT_LIST_LIMIT : checkInteger('limit', limit, 1, MAX_LIST_LIMIT),
  }
}

function readCursor(cursor: unknown): number {
  if (typeof cursor !== 'string' || !/^\d{1,15}$/.test(cursor)) {
    throw new TypeError(`cursor must be the cursor of the page before, got ${show(cursor)}`)
  }
  return Number(cursor)
}

export function readId(id: unknown): string {
  if (typeof id !== 'string') throw new TypeError(`id must be a call ID, a string; got ${show(id)}`)
  return id
}
