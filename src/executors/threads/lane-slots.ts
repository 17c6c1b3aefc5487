import { SLOTS, type LaneMemory } from '../../protocol/lane-memory.ts'
import type { Job, Place } from '../executor.ts'
import type { Lane } from './lane.ts'

/** The jobs that a lane was sent, each in a slot of the lane's memory, and how much work they are expected to be. */
export class LaneSlots<J extends Job> {
  /** Jobs that were sent and have not ended. */
  size = 0
  readonly #lane: Lane<J>
  readonly #memory: LaneMemory
  readonly #jobs: (J | undefined)[] = []
  readonly #generations: number[] = []
  /** Slots that were used and are free again; `#jobs.length` is the next that was never used. */
  readonly #free: number[] = []
  /** Microseconds that the jobs are expected to take, and the jobs of which that is not known. */
  #load = 0
  #unknown = 0

  constructor(lane: Lane<J>, memory: LaneMemory) {
    this.#lane = lane
    this.#memory = memory
  }

  get isFull(): boolean {
    return this.size === SLOTS
  }

  /** Microseconds that the jobs are expected to take, one after another; `Infinity` if of one that is not known. */
  get load(): number {
    return this.#unknown > 0 ? Infinity : this.#load
  }

  /** Microseconds that the longest of the jobs is expected to take; 0 if that is known of none. */
  get longest(): number {
    let longest = 0
    for (const job of this) longest = Math.max(longest, this.placeOf(job)?.estimate ?? 0)
    return longest
  }

  /** Gives a job a slot. @param estimate microseconds it will run, if known. */
  add(job: J, estimate: number | undefined): LanePlace<J> {
    const slot = this.#free.pop() ?? this.#jobs.length
    const generation = this.#memory.offer(slot, this.#generations[slot] ?? 0)
    this.#generations[slot] = generation
    this.#jobs[slot] = job
    this.size += 1
    if (estimate === undefined) this.#unknown += 1
    else this.#load += estimate
    const place = new LanePlace(this.#lane, this.#memory, slot, generation, estimate)
    job.place = place
    return place
  }

  free({ slot, estimate }: LanePlace<J>): void {
    const job = this.#jobs[slot]
    if (job) job.place = undefined
    this.#jobs[slot] = undefined
    this.#free.push(slot)
    this.size -= 1
    if (estimate === undefined) this.#unknown -= 1
    else this.#load -= estimate
    // What is left by rounding goes.
    if (this.size === 0) this.#load = 0
  }

  /** The job that was given the slot under that generation, if it is still there. */
  jobAt(slot: number, generation: number): J | undefined {
    return this.#generations[slot] === generation ? this.#jobs[slot] : undefined
  }

  /** Where in this lane the job is; undefined when it is elsewhere. */
  placeOf({ place }: J): LanePlace<J> | undefined {
    return place instanceof LanePlace && place.lane === this.#lane ? place : undefined
  }

  /** The jobs there are; jobs may be freed on the way. */
  *[Symbol.iterator](): Iterator<J> {
    for (const job of this.#jobs) if (job) yield job
  }
}

/** Where a job is in a lane. */
export class LanePlace<J extends Job> implements Place {
  readonly lane: Lane<J>
  readonly slot: number
  readonly generation: number
  readonly estimate: number | undefined
  readonly #memory: LaneMemory

  constructor(lane: Lane<J>, memory: LaneMemory, slot: number, generation: number, estimate: number | undefined) {
    this.lane = lane
    this.#memory = memory
    this.slot = slot
    this.generation = generation
    this.estimate = estimate
  }

  get cpid(): number {
    return this.lane.threadId
  }

  get startedAt(): number | undefined {
    const { slot, generation } = this
    return this.#memory.isClaimed(slot, generation) ? this.#memory.startedAt(slot) : undefined
  }
}

/** The lane that a job was sent to. */
export function laneOf<J extends Job>({ place }: J): Lane<J> | undefined {
  return place instanceof LanePlace ? place.lane : undefined
}
