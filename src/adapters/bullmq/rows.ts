import type { CallInfo } from '../../model/status.ts'
import type { Row } from './queue-store.ts'

/** A row as callers see it: whole milliseconds. */
export function infoOf(row: Row): CallInfo {
  const { id, fn, priority, ok, progress } = row
  const base = { id, fn, priority, admittedAt: Math.round(row.admittedAt) }
  const startedAt = row.startedAt === undefined ? undefined : Math.round(row.startedAt)
  if (row.state === 'finished') {
    const finished = {
      ...base,
      state: 'finished',
      ok,
      finishedAt: Math.round(row.finishedAt ?? row.admittedAt),
    } as const
    return startedAt === undefined ? finished : { ...finished, startedAt }
  }
  if (startedAt === undefined) return { ...base, state: 'queued' }
  const running = { ...base, state: 'running', startedAt } as const
  return progress?.value === undefined ? running : { ...running, progress: progress.value }
}

/** Whether it can still be asked for. */
export function isKept({ finishedAt, retain }: Row, now: number): boolean {
  return finishedAt === undefined || finishedAt + retain > now
}
