import { ALL } from '../contenders/contenders.ts'
import type { Case } from '../harness/case.ts'
import { abort } from './abort.ts'
import { cpuBound } from './cpu-bound.ts'
import { http, httpHeld } from './http.ts'
import { idle } from './idle.ts'
import { inFlight } from './in-flight.ts'
import { isolated, isolatedReuse } from './isolated.ts'
import { keptCalls } from './kept-calls.ts'
import { largeHost } from './large-host.ts'
import { loopDelayCpuBound, loopDelaySmall } from './loop-delay.ts'
import { manyWaits } from './many-waits.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { oneSlow } from './one-slow.ts'
import { copiedBuffer, largeObject, movedBuffer, smallObject } from './payload.ts'
import { queue } from './queue.ts'
import { startUp } from './start-up.ts'
import { timer } from './timer.ts'
import { waitedAgain } from './waited-again.ts'

/** By the names under which they can be asked for. */
export const CASES: Readonly<Record<string, Case>> = {
  'one-at-a-time': oneAtATime,
  'in-flight-8': inFlight(8),
  'in-flight-64': inFlight(64, ALL),
  'in-flight-1024': inFlight(1_024),
  'small-object': smallObject,
  'large-object': largeObject,
  'copied-buffer': copiedBuffer,
  'moved-buffer': movedBuffer,
  timer,
  'cpu-bound-1ms': cpuBound(1),
  'cpu-bound-10ms': cpuBound(10),
  'one-slow': oneSlow,
  'start-up': startUp,
  abort,
  isolated,
  'isolated-reuse': isolatedReuse,
  'large-host': largeHost,
  http,
  'http-held': httpHeld,
  'kept-calls': keptCalls,
  'waited-again': waitedAgain,
  'many-waits': manyWaits,
  idle,
  queue,
  'loop-delay': loopDelaySmall,
  'loop-delay-cpu-bound': loopDelayCpuBound,
}
