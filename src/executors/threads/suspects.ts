import type { Job } from '../executor.ts'

/** Threads that may run out of memory for a job before it is given up. */
const MOST_LOSSES = 3

const losses = new WeakMap<Job, number>()

/** A thread in which no call ran has run out of memory with this job sent to it: it was unpacking its arguments, maybe. */
export function suspect(job: Job): void {
  losses.set(job, (losses.get(job) ?? 0) + 1)
}

/** Whether the job is to be sent alone, so that no other goes down with it. */
export function isSuspect(job: Job): boolean {
  return losses.has(job)
}

/** Whether the job has cost so many threads that there is no doubt. */
export function isConvicted(job: Job): boolean {
  return (losses.get(job) ?? 0) >= MOST_LOSSES
}
