import type { CallStatus } from '../../model/status.ts'
import { defineCommand } from '../command.ts'
import { DONE } from '../endings.ts'
import { statusJson } from '../json.ts'
import { CALL_ID, TLS_OPTIONS, URL_OF_NODE } from '../node-address.ts'
import { pick } from '../pick.ts'
import { oneLine } from '../progress.ts'
import { writeJson, writeLine } from '../report.ts'
import { flag, seconds, text } from '../values.ts'
import { withNode } from '../with-node.ts'

export const cancel = defineCommand({
  name: 'cancel',
  summary: 'ask a call to end',
  parameters: { url: URL_OF_NODE, id: CALL_ID },
  options: {
    reason: text('TEXT', 'why: what the function is told'),
    grace: seconds("time between the polite abort and the kill. Default: the call's"),
    json: flag("print the call's status as a JSON document"),
    ...TLS_OPTIONS,
  },
  details: ['It does not wait for the end: `coatcheck wait` does. A call that had ended stays as it is.'],
  examples: [
    'coatcheck cancel http://127.0.0.1:1811 15288:1:1795356416.314:ddc2cb35f25df053798fc9834ed386563b9dadfd --grace 5',
  ],

  run: (given, shell) =>
    withNode(given, shell, async (node, { json }) => {
      const status = await node.cancel(given.id, pick(given, 'reason', 'grace'))
      if (json) writeJson(shell, statusJson(status))
      else writeLine(shell, inWords(status))
      return DONE
    }),
})

function inWords(status: CallStatus): string {
  if (!status.finished) return 'it was asked to end'
  if (status.ok) return 'it has ended, with a value'
  const { code, message } = status.error
  return `it has ended: ${code}: ${oneLine(message)}`
}
