import type { CallInfo } from '../model/status.ts'
import { oneLine, shareOf } from './progress.ts'
import { showValue } from './json.ts'
import { span, tableLines } from './table.ts'

const HEADINGS = ['ID', 'FUNCTION', 'STATE', 'WAITED', 'RAN', 'PROGRESS']

/**
 * Calls as the lines of a table.
 *
 * @param now Unix time in milliseconds.
 */
export function callLines(calls: readonly CallInfo[], now: number): string[] {
  return tableLines([HEADINGS, ...calls.map((call) => rowOf(call, now))])
}

function rowOf(call: CallInfo, now: number): string[] {
  const { admittedAt } = call
  const [id, fn] = [oneLine(call.id), oneLine(call.fn)]
  switch (call.state) {
    case 'queued':
      return [id, fn, 'queued', span(now - admittedAt), '', '']
    case 'running':
      return [id, fn, 'running', span(call.startedAt - admittedAt), span(now - call.startedAt), inWords(call.progress)]
    default: {
      const { startedAt = call.finishedAt, finishedAt, ok } = call
      return [id, fn, ok ? 'succeeded' : 'failed', span(startedAt - admittedAt), span(finishedAt - startedAt), '']
    }
  }
}

function inWords(progress: unknown): string {
  if (progress === undefined) return ''
  const share = shareOf(progress)
  return share ? `${Math.floor(share.share * 100)}%  ${share.label}` : oneLine(showValue(progress))
}
