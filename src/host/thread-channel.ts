import type { Transferable } from 'node:worker_threads'
import { monotonicNow } from '../model/clock.ts'
import { LOOKS, SLEEPS, WAITS, type LaneMemory } from '../protocol/lane-memory.ts'
import type { LanePort } from '../protocol/lane-port.ts'
import { REPORTS_AHEAD, type FromHost, type ResultKind, type ToHost } from '../protocol/messages.ts'
import { Patience } from '../protocol/patience.ts'
import type { HostChannel } from './function-host.ts'

/**
 * Milliseconds that a thread without calls looks at shared memory: the next of calls that follow one another is found so,
 * where the runner looks for results as well.
 */
const LOOK_FOR = 0.03
/**
 * Milliseconds that it waits there after that, before it goes back to its event loop: to be woken from there takes longer,
 * and this costs no processor. The module's timers and sockets wait as well. Less would not be quicker: for a wait that is
 * over before the kernel's next tick a timer is set each time. One call after the other, with other work on all
 * processors, took 50 µs with 0.3 ms, 40 with 1, 20 with 2, and 16 from 4 on.
 */
const WAIT_FOR = 4
/** Milliseconds that a thread sleeps at a time when it is too far ahead of the runner. */
const WAIT_PART = 10
/** Looks between two readings of the clock. */
const LOOKS_AT_A_TIME = 32

/** The way from a thread to the runner: a port, and shared memory. */
export class ThreadChannel implements HostChannel {
  readonly reach = 'threads'
  readonly #port: LanePort<ToHost, FromHost>
  readonly #memory: LaneMemory
  /** Names of the functions, by their numbers. */
  readonly #functions: readonly string[]
  readonly #patience = new Patience()
  /** Messages that have arrived, and have not had their turn. */
  readonly #arrived: ToHost[] = []
  #seen = 0
  #looks = false
  /** Reports that were posted; counts as those heard do, with 32 bits. */
  #reported = 0

  constructor(port: LanePort<ToHost, FromHost>, memory: LaneMemory, functions: readonly string[]) {
    this.#port = port
    this.#memory = memory
    this.#functions = functions
  }

  /** A message has come by itself. What it is about is to be taken. */
  arrive(message: ToHost): void {
    this.#memory.countReceived()
    this.#arrived.push(message)
  }

  post(message: FromHost, transfer?: readonly Transferable[]): void {
    this.#port.post(message, transfer)
  }

  report(message: FromHost): void {
    // Counted when it is on its way: what cannot travel is not.
    this.post(message)
    this.#reported = (this.#reported + 1) | 0
  }

  get mayReport(): boolean {
    return this.#unheard < REPORTS_AHEAD
  }

  awaitReportable(): void {
    // In parts, so that the thread can be ended meanwhile.
    while (!this.mayReport) this.#memory.awaitHeard(this.#memory.heard, WAIT_PART)
  }

  get #unheard(): number {
    return (this.#reported - this.#memory.heard) | 0
  }

  claim(slot: number, generation: number, now: number): boolean {
    return this.#memory.claim(slot, generation, now)
  }

  isAborted(slot: number, generation: number): boolean {
    return this.#memory.isAborted(slot, generation)
  }

  leave(slot: number, generation: number, kind: ResultKind, value: unknown): boolean {
    // It must not be found before what its function has reported.
    return this.#unheard === 0 && this.#memory.results.put(slot, generation, kind, value)
  }

  tell(): void {
    if (!this.#memory.runnerLooks) this.post({ type: 'look' })
  }

  close(): void {
    this.#port.close()
  }

  end(slot: number, now: number): void {
    this.#memory.end(slot, now)
  }

  take(): ToHost | undefined {
    if (!this.#looks) {
      this.#looks = true
      this.#memory.thread = LOOKS
    }
    const { calls } = this.#memory
    // Read before the messages: those that were posted before the last of these calls have arrived by now.
    const { sent } = calls
    if (this.#arrived.length === 0) this.#fetch()
    const [message] = this.#arrived
    const until = message?.type === 'run' ? message.after : sent
    return calls.taken === until ? this.#arrived.shift() : this.#takeCalls(until)
  }

  look(): ToHost | undefined {
    return (this.#patience.isWorthIt ? this.#lookAwake() : undefined) ?? this.#await()
  }

  #lookAwake(): ToHost | undefined {
    const until = monotonicNow() + LOOK_FOR
    do {
      for (let i = 0; i < LOOKS_AT_A_TIME; i++) {
        if (!this.#hasNews) continue
        const message = this.take()
        if (message === undefined) continue
        this.#patience.found()
        return message
      }
    } while (monotonicNow() < until)
    this.#patience.missed()
    return undefined
  }

  #await(): ToHost | undefined {
    const { wakes } = this.#memory
    this.#looks = false
    this.#memory.thread = WAITS
    // What came before that has woken nobody.
    if (!this.#hasNews) this.#memory.awaitWake(wakes, WAIT_FOR)
    return this.take()
  }

  /** Whether something may have come in. */
  get #hasNews(): boolean {
    const { calls, posted } = this.#memory
    return calls.sent !== calls.taken || posted !== this.#seen
  }

  rest(): boolean {
    this.#looks = false
    this.#memory.thread = SLEEPS
    // What came before that has not woken anybody.
    return this.#memory.calls.sent !== this.#memory.calls.taken
  }

  /** Takes the next message off the port, if there is one. */
  #fetch(): void {
    const { posted } = this.#memory
    if (posted === this.#seen) return
    // Read before the message: one that comes in between is seen by the next look.
    this.#seen = posted
    const message = this.#port.take()
    if (message === undefined) return
    this.arrive(message)
    // There may be more than the one.
    this.#seen -= 1
  }

  /** The calls that came by shared memory, up to the one that is counted as `until`. */
  #takeCalls(until: number): ToHost {
    const { calls } = this.#memory
    const fields: unknown[] = []
    while (calls.taken !== until) {
      const call = calls.take()
      if (!call) break
      const { slot, generation, flags, fn, args, abortAfter } = call
      fields.push(slot, generation, flags, this.#functions[fn], args, abortAfter)
    }
    this.#memory.countReceived()
    return { type: 'run', calls: fields, after: until }
  }
}
