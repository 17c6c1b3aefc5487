import type { CallState } from '../../model/status.ts'
import { callLines } from '../call-rows.ts'
import { defineCommand } from '../command.ts'
import { DONE } from '../endings.ts'
import { infoJson } from '../json.ts'
import { TLS_OPTIONS, URL_OF_NODE } from '../node-address.ts'
import { pick } from '../pick.ts'
import { oneLine } from '../progress.ts'
import { writeJson, writeLine } from '../report.ts'
import { flag, integer, oneOf, text } from '../values.ts'
import { withNode } from '../with-node.ts'

export const ls = defineCommand({
  name: 'ls',
  summary: 'list the calls of a node that are under way or kept',
  parameters: { url: URL_OF_NODE },
  options: {
    state: oneOf<CallState>('STATE', 'queued, running or finished', ['queued', 'running', 'finished']),
    fn: text('FN', 'calls of this function only'),
    limit: integer('N', 'calls at most, from 1 to 10000. Default: 100', { min: 1, max: 10_000 }),
    cursor: text('CURSOR', 'where the page before ended'),
    json: flag('print one JSON document, with `calls` and `cursor`; times are Unix time in milliseconds'),
    ...TLS_OPTIONS,
  },
  details: ['The oldest stand first. A node shows calls to whoever has started them only.'],
  examples: ['coatcheck ls http://127.0.0.1:1811 --state running'],

  run: (given, shell) =>
    withNode(given, shell, async (node, { json }) => {
      const page = await node.list(pick(given, 'state', 'fn', 'limit', 'cursor'))
      const { calls, cursor } = page
      if (json) writeJson(shell, { ...page, calls: calls.map(infoJson) })
      else writeLine(shell, callLines(calls, Date.now()).join('\n'))
      if (cursor !== undefined && !json) shell.stderr.write(`there are more: --cursor ${oneLine(cursor)}\n`)
      return DONE
    }),
})
