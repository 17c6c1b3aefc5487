import type { Transferable } from 'node:worker_threads'
import { monotonicNow } from '../model/clock.ts'
import type { LaneMemory } from '../protocol/lane-memory.ts'
import type { LanePort } from '../protocol/lane-port.ts'
import { REPORTS_AHEAD, type FromHost, type ResultKind, type ToHost } from '../protocol/messages.ts'
import type { HostChannel } from './function-host.ts'

/**
 * Milliseconds that a thread without calls looks at shared memory before it goes back to its event loop: longer than it
 * takes to wake the runner's thread, so that the next of calls that follow one another is found. To be woken costs more.
 */
const LOOK_FOR = 0.1
/** Milliseconds that a thread sleeps at a time when it is too far ahead of the runner. */
const WAIT_PART = 10
/** Looks between two readings of the clock. */
const LOOKS = 32

/** The way from a thread to the runner: a port, and shared memory. */
export class ThreadChannel implements HostChannel {
  readonly reach = 'threads'
  readonly #port: LanePort<ToHost, FromHost>
  readonly #memory: LaneMemory
  #seen = 0
  /** Reports that were posted; counts as those heard do, with 32 bits. */
  #reported = 0

  constructor(port: LanePort<ToHost, FromHost>, memory: LaneMemory) {
    this.#port = port
    this.#memory = memory
  }

  received(): void {
    this.#memory.countReceived()
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
    return ((this.#reported - this.#memory.heard) | 0) < REPORTS_AHEAD
  }

  awaitReportable(): void {
    // In parts, so that the thread can be ended meanwhile.
    while (!this.mayReport) this.#memory.awaitHeard(this.#memory.heard, WAIT_PART)
  }

  claim(slot: number, generation: number, now: number): boolean {
    return this.#memory.claim(slot, generation, now)
  }

  isAborted(slot: number, generation: number): boolean {
    return this.#memory.isAborted(slot, generation)
  }

  shelve(slot: number, generation: number, kind: ResultKind, value: unknown): boolean {
    return this.#memory.shelve(slot, generation, kind, value)
  }

  close(): void {
    this.#port.close()
  }

  end(slot: number, now: number): void {
    this.#memory.end(slot, now)
  }

  look(): ToHost | undefined {
    const until = monotonicNow() + LOOK_FOR
    do {
      for (let i = 0; i < LOOKS; i++) {
        const posted = this.#memory.posted
        if (posted === this.#seen) continue
        // Read before the message: one that comes in between is seen by the next look.
        this.#seen = posted
        const message = this.#port.take()
        if (message === undefined) continue
        this.received()
        // There may be more than the one.
        this.#seen -= 1
        return message
      }
    } while (monotonicNow() < until)
    return undefined
  }
}
