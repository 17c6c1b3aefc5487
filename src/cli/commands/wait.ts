import { defineCommand } from '../command.ts'
import { follow } from '../follow.ts'
import { CALL_ID, TLS_OPTIONS, URL_OF_NODE } from '../node-address.ts'
import { reportStatus } from '../report.ts'
import { flag, seconds } from '../values.ts'
import { withNode } from '../with-node.ts'

export const wait = defineCommand({
  name: 'wait',
  summary: 'come back for a call, and print its value',
  parameters: { url: URL_OF_NODE, id: CALL_ID },
  options: {
    timeout: seconds('how long to wait; 0 only looks. Default: 10'),
    json: flag('print one JSON document, with `finished`, `id`, `ok`, `value` and `error`'),
    ...TLS_OPTIONS,
  },
  details: ['Everything is printed as by `coatcheck call`. Ctrl-C ends the waiting, and nothing else.'],
  examples: ['coatcheck wait http://127.0.0.1:1811 15288:1:1795356416.314:ddc2cb35f25df053798fc9834ed386563b9dadfd'],

  run: (given, shell) =>
    withNode(given, shell, async (node, report) => {
      const until = performance.now() + (given.timeout ?? 10_000)
      const seen = await node.wait(given.id, { timeout: 0 })
      const status = seen.finished ? seen : await follow(node, seen, { until, output: shell.stderr })
      return reportStatus(status, report)
    }),
})
