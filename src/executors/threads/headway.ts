import type { Job } from '../executor.ts'

/** Milliseconds after which a lane that made no headway is tried again. */
const STALLED_FOR = 50

/** How many times as long as it was expected to a job may take before others are kept from waiting for it. */
const LATE_BY = 2

/** Milliseconds without headway after which a thread in which no call runs is taken to be held up. */
const RESTING_FOR = 50

/** Milliseconds for which a thread in which no call runs may unpack nothing that it was sent. */
const HUNG_AFTER = 1_000

/** How often jobs were taken back from threads in which no call ran. */
const takenBack = new WeakMap<Job, number>()

/** What is looked at. */
export interface LaneProgress {
  /** Milliseconds of the monotonic clock. */
  now: number
  /** How many jobs have begun, and how many of them have ended; counters of 32 bits. */
  begun: number
  ended: number
  /** How many messages the thread has unpacked. */
  received: number
  /** The jobs in flight. */
  jobs: Iterable<Job>
  isEmpty: boolean
  /** Whether anybody would gain by its jobs being taken back. */
  isWanted: boolean
  /** Milliseconds that the longest of the jobs is expected to take. */
  longest: number
}

/** Tells, look by look, whether a lane makes headway: whether jobs begin or end there. */
export class Headway {
  /** No headway was made at the last look, so nothing is to be sent to the lane for a while. */
  isStalled = false
  #begunAtLastLook = 0
  #endedAtLastLook = 0
  #receivedAtLastLook = 0
  #stalledUntil = 0
  #movedAt = 0
  /** Since when nothing was unpacked or run, although jobs were sent and taken back. */
  #fruitlessSince: number | undefined

  /** The lane was empty, and is not from now on. */
  begin(now: number): void {
    this.#movedAt = now
  }

  /** Jobs have ended just now. */
  moved(): void {
    this.isStalled = false
  }

  /**
   * `stalled`: what has not begun there is to be taken back. `hung`: something that a call has left behind holds the
   * thread, for so long that it is no use any more.
   */
  look({ now, begun, ended, received, jobs, isEmpty, isWanted, longest }: LaneProgress): 'moves' | 'stalled' | 'hung' {
    const hasMoved =
      begun !== this.#begunAtLastLook || ended !== this.#endedAtLastLook || received !== this.#receivedAtLastLook
    this.#begunAtLastLook = begun
    this.#endedAtLastLook = ended
    this.#receivedAtLastLook = received
    if (hasMoved) this.#fruitlessSince = undefined
    if (hasMoved || isEmpty) {
      this.isStalled = false
      this.#movedAt = now
      return 'moves'
    }
    if (this.isStalled) {
      this.isStalled = now < this.#stalledUntil
      return 'moves'
    }
    if (!isWanted || now - this.#movedAt < LATE_BY * longest) return 'moves'
    // Nothing runs: the thread is asleep, or unpacks what it was sent, or something that a call left behind holds it.
    const isResting = begun === ended
    if (isResting) {
      const patience = patienceFor(jobs)
      if (now - this.#movedAt < patience) return 'moves'
      this.#fruitlessSince ??= this.#movedAt
      if (now - this.#fruitlessSince >= Math.max(HUNG_AFTER, patience)) return 'hung'
      countTakenBack(jobs)
    }
    this.isStalled = true
    this.#stalledUntil = now + STALLED_FOR
    return 'stalled'
  }
}

/** The more often a job was taken back from resting threads, the longer it takes to unpack, maybe. */
function patienceFor(jobs: Iterable<Job>): number {
  let times = 0
  for (const job of jobs) times = Math.max(times, takenBack.get(job) ?? 0)
  return RESTING_FOR * 2 ** times
}

function countTakenBack(jobs: Iterable<Job>): void {
  for (const job of jobs) takenBack.set(job, (takenBack.get(job) ?? 0) + 1)
}
