import type { Call } from '../table/call.ts'

/** Microseconds from a call's admission to its function's beginning, or to its end if it never began. */
export function queueTimeOf(call: Call): number {
  const until = call.startedAt ?? call.place?.startedAt ?? call.endedAt
  return Math.max(0, Math.round((until - call.admittedAt) * 1_000))
}

/** Microseconds that the function of a finished call ran. */
export function runTimeOf(call: Call): number {
  return call.startedAt === undefined ? 0 : Math.max(0, Math.round((call.endedAt - call.startedAt) * 1_000))
}
