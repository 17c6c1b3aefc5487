import type { Transferable } from 'node:worker_threads'
import { isProxy } from 'node:util/types'
import { monotonicNow } from '../model/clock.ts'
import { findUncloneable, type Reach } from '../protocol/cloneable.ts'
import { encodeError, textOf, type EncodedError } from '../protocol/encoded-error.ts'
import {
  CALL_FIELDS,
  MAY_BE_SLOW,
  NOT_CLONEABLE,
  NOT_FOUND,
  RESULT_FIELDS,
  RETURNED,
  SHELVED,
  TELL_START,
  THREW,
  type FromHost,
  type LogLevel,
  type ResultKind,
  type ToHost,
} from '../protocol/messages.ts'
import { currentCalls } from './current-call.ts'
import type { LoadedFunction } from './load.ts'
import { RunningCall, type RunningCallHost } from './running-call.ts'
import { splitTransfer } from './transfer.ts'

/** The way from a function host to the runner. */
export interface HostChannel {
  readonly reach: Reach
  /** @throws Error `DataCloneError` when something in the message cannot travel. */
  post(message: FromHost, transfer?: readonly Transferable[]): void
  /** Tells of progress, or a log line. @throws as `post`. */
  report(message: FromHost): void
  /** Whether a report would be heard before long. */
  readonly mayReport: boolean
  /** Waits until that is so. */
  awaitReportable(): void
  /** Claims a call before it begins. False when the runner has taken it back. */
  claim(slot: number, generation: number, now: number): boolean
  isAborted(slot: number, generation: number): boolean
  end(slot: number, now: number): void
  /** Leaves a result where the runner finds it, whatever becomes of this thread. False when it has to be told. */
  shelve(slot: number, generation: number, kind: ResultKind, value: unknown): boolean
  /** The runner has no more calls for this lane. */
  close(): void
  /** Looks for a message, for a fraction of a millisecond at most: quicker than to sleep and be woken. */
  look(): ToHost | undefined
}

export interface FunctionHostOptions {
  channel: HostChannel
  functions: ReadonlyMap<string, LoadedFunction>
  concurrency: number
  logLevel: LogLevel | 'silent'
}

// Taken before a functions module can put something else in its place.
const { nextTick } = process
const { setImmediate } = globalThis

/** A finished result waits no longer than this, in milliseconds, for others to travel with. */
const TELL_WITHIN = 0.2

/** Milliseconds after which a host that finds more and more calls lets its event loop turn once. */
const TURN_FOR = 1

/** Runs the calls of one lane, one after another or `concurrency` side by side, and tells how they end. */
export class FunctionHost implements RunningCallHost {
  readonly logLevel: LogLevel | 'silent'
  readonly #channel: HostChannel
  readonly #functions: ReadonlyMap<string, LoadedFunction>
  readonly #concurrency: number
  readonly #calls = currentCalls()

  /** Calls that were received and have not begun, as they came: flat. */
  #backlog: unknown[] = []
  #next = 0
  /** Asynchronous calls under way, by slot. */
  readonly #awaited = new Map<number, RunningCall>()
  /** Results that have not been told, flat; and the transfer lists of those that have one, by their place. */
  #results: unknown[] = []
  #transfers = new Map<number, readonly Transferable[]>()
  /** How much of `#results` is on the shelf. */
  #shelved = 0
  #oldestResult = 0
  #turning = false

  constructor({ channel, functions, concurrency, logLevel }: FunctionHostOptions) {
    this.#channel = channel
    this.#functions = functions
    this.#concurrency = concurrency
    this.logLevel = logLevel
  }

  receive(message: ToHost): void {
    this.#accept(message)
    this.#turn()
  }

  report(message: FromHost): void {
    this.#channel.report(message)
  }

  get mayReport(): boolean {
    return this.#channel.mayReport
  }

  awaitReportable(): void {
    this.#channel.awaitReportable()
  }

  isAborted(slot: number, generation: number): boolean {
    return this.#channel.isAborted(slot, generation)
  }

  #accept(message: ToHost): void {
    if (message.type === 'run') {
      if (this.#backlog.length === 0) this.#backlog = message.calls
      else for (const field of message.calls) this.#backlog.push(field)
    } else if (message.type === 'abort') {
      const call = this.#awaited.get(message.slot)
      if (call?.generation === message.generation) call.abort(message.reason)
    } else {
      this.#channel.close()
    }
  }

  /** Runs what can run, tells what has ended, and looks for more before the thread goes back to its event loop. */
  #turn(): void {
    if (this.#turning) return
    this.#turning = true
    const until = monotonicNow() + TURN_FOR
    for (;;) {
      this.#runBacklog()
      this.#tell()
      // While an asynchronous call is under way its events come first.
      const message = this.#awaited.size === 0 ? this.#channel.look() : undefined
      if (message === undefined) break
      this.#accept(message)
      if (monotonicNow() < until) continue
      // The module's timers and sockets are not to wait until no call comes any more.
      setImmediate(() => this.#turn())
      break
    }
    this.#turning = false
  }

  #runBacklog(): void {
    while (this.#next < this.#backlog.length && this.#awaited.size < this.#concurrency) {
      const at = this.#next
      this.#next += CALL_FIELDS
      const [slot, generation, flags, name, args, abortAfter] = this.#backlog.slice(at, this.#next)
      this.#begin(
        slot as number,
        generation as number,
        flags as number,
        name as string,
        args as unknown[],
        abortAfter as number,
      )
    }
    if (this.#next === this.#backlog.length) {
      this.#backlog = []
      this.#next = 0
    }
  }

  #begin(slot: number, generation: number, flags: number, name: string, args: unknown[], abortAfter: number): void {
    // What has ended must not be late because this call takes long, nor lost if it ends the thread.
    if (this.#results.length > 0 && (flags & MAY_BE_SLOW || !this.#shelve())) this.#tell()
    const now = monotonicNow()
    if (!this.#channel.claim(slot, generation, now)) return
    if (flags & TELL_START) this.#channel.post({ type: 'started', slot, generation })

    const call = new RunningCall(this, slot, generation, name, abortAfter, now)
    const fn = this.#functions.get(name)
    if (fn === undefined) return this.#end(call, NOT_FOUND, undefined)
    try {
      const returned = this.#invoke(call, fn, args)
      if (isThenable(returned)) this.#await(call, returned)
      else this.#end(call, RETURNED, returned)
    } catch (error) {
      this.#end(call, THREW, encodeThrown(error))
    }
  }

  #invoke(call: RunningCall, fn: LoadedFunction, args: unknown[]): unknown {
    const calls = this.#calls
    calls.onStack = call
    try {
      return calls.storage === undefined ? fn(...args) : calls.storage.run(call, fn, ...args)
    } finally {
      calls.onStack = undefined
    }
  }

  #await(call: RunningCall, promise: PromiseLike<unknown>): void {
    this.#awaited.set(call.slot, call)
    // Calls that are followed need not be looked for.
    if (this.#calls.storage === undefined) this.#calls.running.add(call)
    const settle = (kind: ResultKind, value: unknown): void => {
      this.#awaited.delete(call.slot)
      this.#calls.running.delete(call)
      this.#end(call, kind, value)
      this.#runBacklog()
      // After the promises that settle along with this one.
      nextTick(() => this.#turn())
    }
    settled(promise).then(
      (value) => settle(RETURNED, value),
      (error: unknown) => settle(THREW, encodeThrown(error)),
    )
  }

  #end(call: RunningCall, kind: ResultKind, returned: unknown): void {
    call.end()
    const now = monotonicNow()
    this.#channel.end(call.slot, now)
    const { value, list } = splitTransfer(returned)
    if (this.#results.length === 0) this.#oldestResult = now
    if (list) this.#transfers.set(this.#results.length, list)
    this.#results.push(call.slot, call.generation, kind, value)
    if (now - this.#oldestResult > TELL_WITHIN) this.#tell()
  }

  /** Leaves the results that are not told yet where they are safe. False when that cannot be done for all of them. */
  #shelve(): boolean {
    const results = this.#results
    for (; this.#shelved < results.length; this.#shelved += RESULT_FIELDS) {
      const at = this.#shelved
      if (this.#transfers.has(at)) return false
      const [slot, generation, kind] = [results[at], results[at + 1], results[at + 2]] as [number, number, ResultKind]
      if (!this.#channel.shelve(slot, generation, kind, results[at + 3])) return false
      results[at + 2] = SHELVED
      results[at + 3] = undefined
    }
    return true
  }

  #tell(): void {
    const results = this.#results
    if (results.length === 0) return
    // In one message, values that have an object in common would still have it in common when they arrive: but for one,
    // they go by the shelf, or in messages of their own.
    if (results.length - this.#shelved > RESULT_FIELDS) this.#shelve()
    const shelved = this.#shelved
    const transfers = this.#transfers
    this.#results = []
    this.#shelved = 0
    if (transfers.size > 0) this.#transfers = new Map()
    if (results.length - shelved === RESULT_FIELDS && this.#tellTogether(results, transfers.get(shelved))) return
    if (shelved > 0) this.#channel.post({ type: 'results', results: results.slice(0, shelved) })
    for (let at = shelved; at < results.length; at += RESULT_FIELDS) {
      this.#tellOne(results.slice(at, at + RESULT_FIELDS), transfers.get(at))
    }
  }

  #tellTogether(results: unknown[], transfer?: readonly Transferable[]): boolean {
    try {
      this.#channel.post({ type: 'results', results }, transfer)
      return true
    } catch {
      return false
    }
  }

  #tellOne(result: unknown[], transfer?: readonly Transferable[]): void {
    try {
      this.#channel.post({ type: 'results', results: result }, transfer)
    } catch (error) {
      const [slot, generation, kind, value] = result
      const encoded = encodeError(
        new TypeError(this.#whyNotCloneable(kind === RETURNED ? value : undefined, error), { cause: error }),
      )
      this.#channel.post({ type: 'results', results: [slot, generation, NOT_CLONEABLE, encoded] })
    }
  }

  #whyNotCloneable(value: unknown, error: unknown): string {
    const { reach } = this.#channel
    const found = findUncloneable([value], 'result', [], reach)
    return found
      ? `${found.path.replace('result[0]', 'result')} is ${found.what}, which cannot travel between ${reach}`
      : `the result cannot travel between ${reach}: ${textOf(error)}`
  }
}

/** Without the lines of this file and what called it, which tell a function's author nothing. */
function encodeThrown(thrown: unknown): EncodedError {
  const encoded = encodeError(thrown)
  if (encoded.kind !== 'error' || encoded.stack === undefined) return encoded
  const lines = encoded.stack.split('\n')
  const own = lines.findIndex((line) => line.includes(import.meta.url) || line.includes('at AsyncLocalStorage.run '))
  return own < 0 ? encoded : { ...encoded, stack: lines.slice(0, own).join('\n') }
}

/** A thenable of the user's may call back at once, twice, or throw, and a promise may have been given such a `then`. */
async function settled(promise: PromiseLike<unknown>): Promise<unknown> {
  return await promise
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null || isProxy(value)) return false
  return value instanceof Promise || typeof (value as { then?: unknown }).then === 'function'
}
