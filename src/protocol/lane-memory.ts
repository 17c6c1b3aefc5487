import { CallRing } from './call-ring.ts'
import { ResultRing } from './result-ring.ts'

/** Calls that a lane can hold at once: sent, running, or finished and not yet heard of. A power of 2. */
export const SLOTS = 1_024

const POSTED = 0
const BEGUN = 1
const RECEIVED = 2
const HEARD = 3
const RUNNER_LOOKS = 4
const THREAD_STATE = 5
const WAKES = 6
const CLAIMS = 16 // on a cache line of their own: the counters before it change all the time
const ABORTS = CLAIMS + SLOTS
const WORDS = ABORTS + SLOTS
const TIMES_OFFSET = WORDS * Int32Array.BYTES_PER_ELEMENT
const CALLS_OFFSET = TIMES_OFFSET + 2 * SLOTS * Float64Array.BYTES_PER_ELEMENT
const RESULTS_OFFSET = CALLS_OFFSET + CallRing.bytesFor(SLOTS)
const BYTES = RESULTS_OFFSET + ResultRing.bytesFor(SLOTS)

/** What a thread does about calls that come in. */
export const SLEEPS = 0
/** It looks for them by itself. */
export const LOOKS = 1
/** It waits in `awaitWake`. */
export const WAITS = 2

/** Generations go from 1 to this and then start again; 0 is nobody's. */
const LAST_GENERATION = 2 ** 30

/**
 * The memory that the two sides of a lane share.
 *
 * Each call that is sent to a lane has a slot. Its claim word holds the generation under which the slot was given to
 * the call; the thread claims the call by exchanging that for its negative, the runner revokes it by exchanging it for 0.
 * The exchange succeeds for one of them only. A slot that was revoked can be given out again at once: what is left of its
 * former call in the thread's backlog carries another generation, and fails to claim.
 */
export class LaneMemory {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #times: Float64Array
  /** Small calls, to the thread. */
  readonly calls: CallRing
  /** Small results, to the runner. */
  readonly results: ResultRing

  constructor(buffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer, 0, WORDS)
    this.#times = new Float64Array(buffer, TIMES_OFFSET, 2 * SLOTS)
    this.calls = new CallRing(buffer, CALLS_OFFSET, SLOTS)
    this.results = new ResultRing(buffer, RESULTS_OFFSET, SLOTS)
  }

  // The runner's side

  /** Gives a slot to a call. `generation` is the slot's last one, 0 at first. */
  offer(slot: number, generation: number): number {
    const next = generation === LAST_GENERATION ? 1 : generation + 1
    Atomics.store(this.#words, CLAIMS + slot, next)
    return next
  }

  /** Takes a call back. False when its function has begun. */
  revoke(slot: number, generation: number): boolean {
    return Atomics.compareExchange(this.#words, CLAIMS + slot, generation, 0) === generation
  }

  isClaimed(slot: number, generation: number): boolean {
    return Atomics.load(this.#words, CLAIMS + slot) === -generation
  }

  /** Turns `currentCall().aborted` of a call that may be too busy to read messages. */
  abort(slot: number, generation: number): void {
    Atomics.store(this.#words, ABORTS + slot, generation)
  }

  /** Says that a message was posted, to a thread that looks before it sleeps. */
  countPosted(): void {
    Atomics.add(this.#words, POSTED, 1)
  }

  /** Wakes the thread if that waits here. False when it sleeps in its event loop, where only a message wakes it. */
  wake(): boolean {
    const state = Atomics.load(this.#words, THREAD_STATE)
    if (state !== WAITS) return state === LOOKS
    Atomics.add(this.#words, WAKES, 1)
    Atomics.notify(this.#words, WAKES)
    return true
  }

  /** Says whether the runner looks here by itself before long. Whoever says no MUST look once more after that. */
  set runnerLooks(looks: boolean) {
    Atomics.store(this.#words, RUNNER_LOOKS, looks ? 1 : 0)
  }

  /** How many calls of this lane have begun. */
  get begun(): number {
    return Atomics.load(this.#words, BEGUN)
  }

  /** How many messages the thread has unpacked. */
  get received(): number {
    return Atomics.load(this.#words, RECEIVED)
  }

  /** Says how many reports the runner has heard by now. */
  set heard(count: number) {
    Atomics.store(this.#words, HEARD, count)
    Atomics.notify(this.#words, HEARD)
  }

  // The thread's side

  /** Claims a call, before its function begins at the time `now`. False when it was revoked. */
  claim(slot: number, generation: number, now: number): boolean {
    const word = CLAIMS + slot
    // Checked first: after a revocation the slot's time may be another call's.
    if (Atomics.load(this.#words, word) !== generation) return false
    this.#times[2 * slot] = now
    if (Atomics.compareExchange(this.#words, word, generation, -generation) !== generation) return false
    Atomics.add(this.#words, BEGUN, 1)
    return true
  }

  isAborted(slot: number, generation: number): boolean {
    return Atomics.load(this.#words, ABORTS + slot) === generation
  }

  end(slot: number, now: number): void {
    this.#times[2 * slot + 1] = now
  }

  get runnerLooks(): boolean {
    return Atomics.load(this.#words, RUNNER_LOOKS) === 1
  }

  /** What the thread does. Before it waits, and when it goes to sleep, it MUST look once more after it has said so. */
  set thread(state: typeof SLEEPS | typeof LOOKS | typeof WAITS) {
    Atomics.store(this.#words, THREAD_STATE, state)
  }

  /** How often the thread was woken; a counter of 32 bits. */
  get wakes(): number {
    return Atomics.load(this.#words, WAKES)
  }

  /** Sleeps until the thread was woken more often than `wakes`, or for `ms` milliseconds. */
  awaitWake(wakes: number, ms: number): void {
    Atomics.wait(this.#words, WAKES, wakes, ms)
  }

  get posted(): number {
    return Atomics.load(this.#words, POSTED)
  }

  /** Says that a message was unpacked. */
  countReceived(): void {
    Atomics.add(this.#words, RECEIVED, 1)
  }

  /** How many reports the runner has heard. */
  get heard(): number {
    return Atomics.load(this.#words, HEARD)
  }

  /** Sleeps until the runner has heard more than `heard` reports, or for `ms` milliseconds. */
  awaitHeard(heard: number, ms: number): void {
    Atomics.wait(this.#words, HEARD, heard, ms)
  }

  // Both: milliseconds of the monotonic clock

  /** When the function of a claimed call began. */
  startedAt(slot: number): number {
    return this.#times[2 * slot] as number
  }

  /** When the function of a finished call ended. */
  endedAt(slot: number): number {
    return this.#times[2 * slot + 1] as number
  }
}
