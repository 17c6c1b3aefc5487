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
  RETURNED,
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
  /** Leaves a result where the runner finds it, whatever becomes of this thread. False when it has to be posted. */
  leave(slot: number, generation: number, kind: ResultKind, value: unknown): boolean
  /** Sees to it that the runner looks for what was left. */
  tell(): void
  /** The runner has no more calls for this lane. */
  close(): void
  /** Takes what has come in, in its order; undefined when that is nothing. From here on the runner counts on it. */
  take(): ToHost | undefined
  /** The same, and waits for it, for some milliseconds at most: quicker than to sleep in the event loop and be woken. */
  look(): ToHost | undefined
  /** Says that the host is not going to take anything by itself: it has to be woken. True when something came before. */
  rest(): boolean
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

/** The first result that was left waits no longer than this, in milliseconds, for others to be told of with it. */
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
  /** Since when there are results that the runner was not told of; undefined when there are none. */
  #untoldSince: number | undefined
  #turning = false

  constructor({ channel, functions, concurrency, logLevel }: FunctionHostOptions) {
    this.#channel = channel
    this.#functions = functions
    this.#concurrency = concurrency
    this.logLevel = logLevel
  }

  receive(message: ToHost): void {
    this.#accept(message)
    this.turn()
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
    switch (message.type) {
      case 'run':
        if (this.#backlog.length === 0) this.#backlog = message.calls
        else for (const field of message.calls) this.#backlog.push(field)
        return
      case 'abort': {
        const call = this.#awaited.get(message.slot)
        if (call?.generation === message.generation) call.abort(message.reason)
        return
      }
      case 'close':
        return this.#channel.close()
      default:
      // Whoever is woken looks anyway.
    }
  }

  /** Runs what can run, tells what has ended, and looks for more before it goes back to the event loop. */
  turn(): void {
    if (this.#turning) return
    this.#turning = true
    const until = monotonicNow() + TURN_FOR
    for (;;) {
      this.#runBacklog()
      const message = this.#channel.take() ?? this.#lookOrRest()
      if (message !== undefined) this.#accept(message)
      else if (!this.#channel.rest()) break
      if (monotonicNow() < until) continue
      // The module's timers and sockets are not to wait until no call comes any more.
      this.#tell()
      setImmediate(() => this.turn())
      break
    }
    this.#turning = false
  }

  #lookOrRest(): ToHost | undefined {
    this.#tell()
    // While an asynchronous call is under way its events come first.
    return this.#awaited.size === 0 ? this.#channel.look() : undefined
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
    // What has ended must not be late because this call takes long.
    if (flags & MAY_BE_SLOW) this.#tell()
    const now = monotonicNow()
    if (!this.#channel.claim(slot, generation, now)) return
    const call = new RunningCall(this, slot, generation, name, abortAfter, now)
    if (flags & TELL_START) {
      this.#channel.post({ type: 'started', slot, generation })
      call.isFollowed = true
    }
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
      nextTick(() => this.turn())
    }
    settled(promise).then(
      (value) => settle(RETURNED, value),
      (error: unknown) => settle(THREW, encodeThrown(error)),
    )
  }

  #end(call: RunningCall, kind: ResultKind, returned: unknown): void {
    call.end()
    const { slot, generation } = call
    const now = monotonicNow()
    this.#channel.end(slot, now)
    const { value, list } = splitTransfer(returned)
    // The end must not be found before the message that told of the beginning.
    const mustFollow = call.isFollowed || list !== undefined
    if (mustFollow || !this.#channel.leave(slot, generation, kind, value))
      this.#post(slot, generation, kind, value, list)
    else this.#untoldSince ??= now
    if (this.#untoldSince !== undefined && now - this.#untoldSince > TELL_WITHIN) this.#tell()
  }

  #tell(): void {
    if (this.#untoldSince === undefined) return
    this.#untoldSince = undefined
    this.#channel.tell()
  }

  #post(slot: number, generation: number, kind: ResultKind, value: unknown, list?: readonly Transferable[]): void {
    try {
      this.#channel.post({ type: 'result', slot, generation, kind, value }, list)
    } catch (error) {
      const message = this.#whyNotCloneable(kind === RETURNED ? value : undefined, error)
      const encoded = encodeError(new TypeError(message, { cause: error }))
      this.#channel.post({ type: 'result', slot, generation, kind: NOT_CLONEABLE, value: encoded })
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
