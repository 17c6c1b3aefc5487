import { setTimeout as sleep } from 'node:timers/promises'
import { CallError } from '../../model/errors.ts'
import type { RunnerStats } from '../../model/runner.ts'
import type { CallInfo } from '../../model/status.ts'
import { isLive } from '../../terminal/output.ts'
import { callLines } from '../call-rows.ts'
import { defineCommand } from '../command.ts'
import { DONE, type Ending } from '../endings.ts'
import { Interrupts, unlessAborted } from '../interrupts.ts'
import { infoJson } from '../json.ts'
import { LiveScreen } from '../live-screen.ts'
import { TLS_OPTIONS, URL_OF_NODE } from '../node-address.ts'
import { oneLine } from '../progress.ts'
import { writeJson, writeLine } from '../report.ts'
import type { RemoteNode, Shell } from '../shell.ts'
import { statsLines } from '../stats-lines.ts'
import { duration, flag } from '../values.ts'
import { withNode } from '../with-node.ts'

/** Calls that are shown where there is no screen to be filled. */
const WITHOUT_SCREEN = 20
/** Lines of the screen that are not calls: the stats, a blank line, the headings. */
const OTHER_LINES = 8

export const top = defineCommand({
  name: 'top',
  summary: 'show what a node is doing',
  parameters: { url: URL_OF_NODE },
  options: {
    interval: duration('time between two looks. Default: 2'),
    json: flag('look once, and print one JSON document with `stats` and `calls`'),
    ...TLS_OPTIONS,
  },
  details: [
    'In a terminal it goes on until Ctrl-C. Anywhere else it looks once.',
    'Only calls that are running or queued are shown. A call that was shown is kept when it ends.',
  ],
  examples: ['coatcheck top http://127.0.0.1:1811 --interval 0.5'],

  run: ({ interval = 2_000, ...given }, shell) =>
    withNode(given, shell, async (node, { json }) => {
      if (!json && isLive(shell.stdout)) return watch(node, interval, shell)
      const seen = await look(node, WITHOUT_SCREEN)
      const { stats, calls } = seen
      if (json) writeJson(shell, { stats, calls: calls.map(infoJson) })
      else writeLine(shell, linesOf(seen).join('\n'))
      return DONE
    }),
})

interface Seen {
  stats: RunnerStats
  calls: CallInfo[]
}

async function watch(node: RemoteNode, interval: number, shell: Shell): Promise<Ending> {
  const seen = await look(node, WITHOUT_SCREEN)
  const interrupts = new Interrupts(shell)
  const { first: signal } = interrupts
  const screen = new LiveScreen(shell.stdout)
  try {
    let lines: string[] | undefined = linesOf(seen)
    while (lines) {
      screen.draw(lines)
      // It ends early at a Ctrl-C.
      await sleep(interval, undefined, { signal }).catch(() => undefined)
      lines = await unlessAborted(lookAgain(node, screen.rows - OTHER_LINES), signal)
    }
  } finally {
    screen.close()
    interrupts.stop()
  }
  return interrupts.last === 'SIGINT' ? DONE : interrupts.last
}

async function look(node: RemoteNode, limit: number): Promise<Seen> {
  const [stats, running] = await Promise.all([node.stats(), node.list({ state: 'running', limit })])
  const room = limit - running.calls.length
  const queued = room > 0 ? (await node.list({ state: 'queued', limit: room })).calls : []
  return { stats, calls: [...running.calls, ...queued] }
}

/** A node that does not answer now may do so later. */
async function lookAgain(node: RemoteNode, limit: number): Promise<string[]> {
  try {
    return linesOf(await look(node, Math.max(1, limit)))
  } catch (error) {
    if (error instanceof CallError && error.code === 'NODE_UNREACHABLE') return [oneLine(error.message)]
    throw error
  }
}

function linesOf({ stats, calls }: Seen): string[] {
  return [...statsLines(stats), '', ...callLines(calls, Date.now())]
}
