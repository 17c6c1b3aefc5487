import type { StartOptions } from '../../model/runner.ts'
import { defineCommand } from '../command.ts'
import { Interrupts, unlessAborted } from '../interrupts.ts'
import { argsOf, JSON_ARGS } from '../json-args.ts'
import { TLS_OPTIONS, URL_OF_NODE } from '../node-address.ts'
import { pick } from '../pick.ts'
import { duration, flag, integer, optional, seconds, text } from '../values.ts'
import { waitToTheEnd } from '../wait-to-the-end.ts'
import { withNode } from '../with-node.ts'

/** Milliseconds to wait at first: after that the call's ID is known, and can be told at a Ctrl-C. */
const FIRST_WAIT = 250

export const call = defineCommand({
  name: 'call',
  summary: 'call a function of a node, and print its value',
  parameters: {
    url: URL_OF_NODE,
    fn: text('FN', "the function's name"),
    args: optional(JSON_ARGS),
  },
  options: {
    timeout: seconds('how long to wait; the call goes on afterwards. Default: 10'),
    'abort-after': duration('how long the function may run before it is aborted'),
    grace: seconds('time between a polite abort and a kill'),
    retain: seconds('how long the finished call can be asked for'),
    priority: integer('N', 'from -100 to 100, higher goes first', { min: -100, max: 100 }),
    'idempotency-key': text('KEY', 'names the call: the same key starts it once'),
    json: flag('print one JSON document, with `finished`, `id`, `ok`, `value` and `error`'),
    ...TLS_OPTIONS,
  },
  details: [
    'Times are in seconds. Standard output is the value and nothing else: a string as it is, anything else as JSON (or as Node shows it, where JSON would lose something: with --json that is under `shown`).',
    'A call that is not finished in time goes on. Its ID, and the command that waits for it again, are printed on standard error.',
    'While it waits, a terminal shows a progress bar: of what the function reports as a number from 0 to 1, or as an object with `share`, or `done` and `total`, and `message`.',
    'Ctrl-C leaves the call running and prints its ID; a second one, within two seconds, cancels it.',
  ],
  examples: [
    `coatcheck call http://127.0.0.1:1811 resize '["photo.png", 800]' --timeout 10`,
    `coatcheck call http://127.0.0.1:1811 report - --timeout 0 --json < args.json`,
  ],

  run: async (given, shell) => {
    const args = await argsOf(given.args, shell)
    return withNode(given, shell, async (node, report) => {
      const timeout = given.timeout ?? 10_000
      const until = performance.now() + timeout
      const interrupts = new Interrupts(shell)
      try {
        const starting = node.start(given.fn, args, { ...startOptions(given), timeout: Math.min(timeout, FIRST_WAIT) })
        const status = await unlessAborted(starting, interrupts.third)
        if (status) return await waitToTheEnd(status, until, { node, report, interrupts })
        shell.stderr.write('the node has not answered: whether it has the call is not known\n')
        return interrupts.last
      } finally {
        interrupts.stop()
      }
    })
  },
})

interface GivenOptions {
  'abort-after'?: number
  'idempotency-key'?: string
  grace?: number
  retain?: number
  priority?: number
}

function startOptions(given: GivenOptions): StartOptions {
  const { 'abort-after': abortAfter, 'idempotency-key': idempotencyKey } = given
  return {
    ...pick(given, 'grace', 'retain', 'priority'),
    ...(abortAfter === undefined ? {} : { abortAfter }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  }
}
