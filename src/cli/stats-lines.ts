import type { RunnerStats, TimeStats } from '../model/runner.ts'
import { span, tableLines } from './table.ts'

/** A node's stats, as the lines of a table. */
export function statsLines({ calls, total, waits, threads, processes, queueTime, runTime }: RunnerStats): string[] {
  return tableLines([
    ['calls', `${calls.queued} queued`, `${calls.running} running`, `${calls.finished} kept`, `${waits} waits`],
    [
      'total',
      `${total.admitted} admitted`,
      `${total.succeeded} succeeded`,
      `${total.failed} failed`,
      `${total.expired} expired`,
    ],
    ['threads', `${threads.size} there`, `${threads.busy} busy`],
    ['processes', `${processes.size} there`, `${processes.busy} busy`],
    ['waited', ...percentiles(queueTime)],
    ['ran', ...percentiles(runTime)],
  ])
}

function percentiles({ p50, p99, max }: TimeStats): string[] {
  return [`p50 ${time(p50)}`, `p99 ${time(p99)}`, `max ${time(max)}`]
}

/** @param us microseconds */
function time(us: number): string {
  if (us < 1_000) return `${Math.round(us)} us`
  return us < 100_000 ? `${(us / 1_000).toFixed(1)} ms` : span(us / 1_000)
}
