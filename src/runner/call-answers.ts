import type { CallId } from '../model/call-id.ts'
import type { CallInfo, CallStatus } from '../model/status.ts'
import type { Call } from '../table/call.ts'

/**
 * What a caller is told of a call.
 *
 * @param tell gives the call's ID, and sees to it that the call can be asked for by it.
 */
export function statusOf(call: Call, tell: (call: Call) => CallId): CallStatus {
  const { outcome } = call
  if (outcome === undefined) {
    const unfinished = { finished: false, id: tell(call), state: call.isRunning ? 'running' : 'queued' } as const
    return call.progress === undefined ? unfinished : { ...unfinished, progress: call.progress }
  }
  const finished = { finished: true, ...outcome } as const
  return call.kept ? { ...finished, id: tell(call) } : finished
}

/**
 * A row of `list`.
 *
 * @param toUnix turns the runner's clock into Unix time, both in milliseconds.
 */
export function infoOf(call: Call, tell: (call: Call) => CallId, toUnix: (time: number) => number): CallInfo {
  const base = { id: tell(call), fn: call.fn, priority: call.priority, admittedAt: toUnix(call.admittedAt) }
  const { outcome } = call
  if (outcome) {
    const finished = { ...base, state: 'finished', ok: outcome.ok, finishedAt: toUnix(call.endedAt) } as const
    return call.startedAt === undefined ? finished : { ...finished, startedAt: toUnix(call.startedAt) }
  }
  const startedAt = call.place?.startedAt
  if (startedAt === undefined) return { ...base, state: 'queued' }
  const running = { ...base, state: 'running', startedAt: toUnix(startedAt) } as const
  return call.progress === undefined ? running : { ...running, progress: call.progress }
}
