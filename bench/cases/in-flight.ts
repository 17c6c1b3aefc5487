import { ON_THREADS, type ContenderName } from '../contenders/contenders.ts'
import type { Case } from '../harness/case.ts'
import { loadCase } from '../harness/load-case.ts'

/** What a call costs when so many are under way all the time. */
export function inFlight(count: number, contenders: readonly ContenderName[] = ON_THREADS): Case {
  return loadCase({
    title: `A no-op, ${count.toLocaleString('en')} in flight`,
    contenders,
    options: { workers: 2 },
    inFlight: count,
    call: (contender) => contender.call('noop'),
  })
}
