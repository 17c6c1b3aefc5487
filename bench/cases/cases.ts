import type { Case } from '../harness/case.ts'
import { inFlight } from './in-flight.ts'
import { oneAtATime } from './one-at-a-time.ts'

/** By the names under which they can be asked for. */
export const CASES: Readonly<Record<string, Case>> = {
  'one-at-a-time': oneAtATime,
  'in-flight-8': inFlight(8),
  'in-flight-64': inFlight(64),
  'in-flight-1024': inFlight(1_024),
}
