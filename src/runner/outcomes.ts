import type { JobEnd } from '../executors/executor.ts'
import { CallError } from '../model/errors.ts'
import type { Outcome } from '../model/status.ts'
import { decodeError, textOf } from '../protocol/encoded-error.ts'
import type { Call } from '../table/call.ts'
import type { Aborts, KnownTimes } from './aborts.ts'

/**
 * What a call's end is to its callers: what its executor knows of it, seen in the light of what was asked of it.
 */
export function outcomeOf(call: Call, end: JobEnd, times: KnownTimes, aborts: Aborts): Outcome {
  switch (end.type) {
    case 'returned':
      return { ok: true, value: end.value }
    case 'threw': {
      const thrown = decodeError(end.error)
      return { ok: false, error: aborts.explain(call, 'cooperative', times, thrown) ?? functionThrew(call, thrown) }
    }
    case 'killed':
      return { ok: false, error: aborts.explain(call, 'killed', times) ?? wasKilled(call) }
    default: {
      // A thread or process that goes down with a call that was to end anyway.
      const step = end.byItself ? 'cooperative' : 'killed'
      const error = end.error.code === 'WORKER_CRASHED' ? aborts.explain(call, step, times) : undefined
      return { ok: false, error: error ?? end.error }
    }
  }
}

function functionThrew({ fn, id }: Call, thrown: unknown): CallError {
  const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : textOf(thrown)
  return new CallError('FUNCTION_THREW', `"${fn}" threw ${what}`, { fn, id, cause: thrown })
}

function wasKilled({ fn, id }: Call): CallError {
  return new CallError('WORKER_CRASHED', `"${fn}" was killed`, { fn, id })
}
