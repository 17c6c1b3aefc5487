import { ALL } from '../contenders/contenders.ts'
import { loadCase } from '../harness/load-case.ts'

/** What a call costs when nothing else is under way. */
export const oneAtATime = loadCase({
  title: 'A no-op, one at a time',
  contenders: ALL,
  options: { workers: 1 },
  inFlight: 1,
  figures: ['p50', 'p99', 'p999'],
  call: (contender) => contender.call('noop'),
})
