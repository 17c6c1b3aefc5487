import type { Job } from '../executor.ts'
import type { Lane } from './lane.ts'
import { isSuspect } from './suspects.ts'

// To which lane a job goes. All times are microseconds.

/** Work that may be sent to a lane ahead of its turn. */
const AHEAD = 1_000
/** A job that may take as long as this is sent ahead to a busy thread, one of them, where no other can be started. */
const ONE_AHEAD = 20_000
/** Work ahead in one lane that another without jobs takes over. */
const TAKE_OVER_ABOVE = 1_000
/** Work that is better done one after another than spread: about what it costs to wake a thread. */
const SPREAD_ABOVE = 50

export interface Placing {
  /** What the job is expected to take, if that is known. */
  estimate: number | undefined
  /** Whether there are as many lanes as there may be. */
  isWhole: boolean
}

/** The open lane where the job would begin first; of those where that makes no difference, the first. */
export function chooseLane<J extends Job>(
  lanes: Iterable<Lane<J>>,
  job: J,
  { estimate, isWhole }: Placing,
): Lane<J> | undefined {
  let chosen: Lane<J> | undefined
  let shortest = Infinity
  const goesAlone = isSuspect(job)
  for (const lane of lanes) {
    if (lane.state !== 'open' || lane.isFull || lane.isStalled || (goesAlone && lane.inFlight > 0)) continue
    let wait = lane.expectedWait
    if (!lane.hasSeat) {
      // Sent ahead of its turn: only if it is sure to be short, and can be taken back.
      if (estimate === undefined || job.transfer) continue
      // Or the next one, so that the thread need not wait for the runner to wake up.
      const isNext = isWhole && !lane.hasAhead && estimate <= ONE_AHEAD
      if (wait + estimate > AHEAD && !isNext) continue
      if (wait + estimate <= SPREAD_ABOVE) wait = 0
    }
    if (wait >= shortest) continue
    chosen = lane
    shortest = wait
  }
  return chosen
}

/** Puts back what waits in the busiest lane, so that one that has nothing to do gets it. */
export function takeOver<J extends Job>(lanes: Iterable<Lane<J>>): void {
  let hasIdle = false
  let busiest: Lane<J> | undefined
  let longest = TAKE_OVER_ABOVE
  for (const lane of lanes) {
    if (lane.state !== 'open' || lane.isStalled) continue
    if (lane.inFlight === 0) hasIdle = true
    else if (lane.hasAhead && lane.expectedWait > longest) {
      busiest = lane
      longest = lane.expectedWait
    }
  }
  if (hasIdle) busiest?.revokeAhead()
}
