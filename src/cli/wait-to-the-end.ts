import { setTimeout as sleep } from 'node:timers/promises'
import { CallError } from '../model/errors.ts'
import type { CallStatus, Unfinished } from '../model/status.ts'
import type { Ending } from './endings.ts'
import { follow } from './follow.ts'
import type { Interrupts } from './interrupts.ts'
import { statusJson } from './json.ts'
import { reportStatus, tellHowToComeBack, writeJson, type Report } from './report.ts'
import type { RemoteNode } from './shell.ts'

/** Milliseconds in which a second Ctrl-C cancels the call. */
const SECOND_CHANCE = 2_000

export interface Waiting {
  node: RemoteNode
  report: Report
  interrupts: Interrupts
}

/** Waits for a call that was started here. Ctrl-C leaves it running, and a second one cancels it. */
export async function waitToTheEnd(first: CallStatus, until: number, waiting: Waiting): Promise<Ending> {
  const { node, report, interrupts } = waiting
  if (first.finished) return reportStatus(first, report)
  const { shell, address } = report
  try {
    const last = await follow(node, first, { until, signal: interrupts.first, output: shell.stderr })
    if (last.finished || !interrupts.first.aborted) return reportStatus(last, report)
    return await leaveOrCancel(last, waiting)
  } catch (error) {
    // The node may be back later, and the call still be there.
    if (error instanceof CallError && error.code === 'NODE_UNREACHABLE') tellHowToComeBack(first, shell, address)
    throw error
  }
}

async function leaveOrCancel(status: Unfinished, { node, report, interrupts }: Waiting): Promise<Ending> {
  const { shell, address, json } = report
  tellHowToComeBack(status, shell, address)
  if (!(await isToBeCancelled(report, interrupts))) {
    if (json) writeJson(shell, statusJson(status))
    return interrupts.last
  }
  shell.stderr.write('cancelling the call\n')
  const asked = await node.cancel(status.id, { reason: 'cancelled by Ctrl-C' })
  const { third: signal } = interrupts
  const end = asked.finished ? asked : await follow(node, asked, { until: Infinity, signal, output: shell.stderr })
  return end.finished ? reportStatus(end, report) : interrupts.last
}

async function isToBeCancelled({ shell }: Report, interrupts: Interrupts): Promise<boolean> {
  if (interrupts.last !== 'SIGINT') return false
  shell.stderr.write(`Ctrl-C again within ${SECOND_CHANCE / 1_000} seconds cancels it\n`)
  try {
    await sleep(SECOND_CHANCE, undefined, { signal: interrupts.second })
    return false
  } catch {
    // A second signal came in.
    return interrupts.last === 'SIGINT'
  }
}
