import { NEAREST } from '../contenders/contenders.ts'
import { loadCase } from '../harness/load-case.ts'

/** Functions that wait for something else than a processor, side by side. */
export const timer = loadCase({
  title: 'An async function with a timer of 1 ms, 64 in flight',
  contenders: NEAREST,
  options: { workers: 2, concurrency: 32 },
  inFlight: 64,
  call: (contender) => contender.call('timer', 1),
})
