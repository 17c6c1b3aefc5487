import { once } from 'node:events'
import type { Logger } from 'pino'
import type { Served } from '../../http.ts'
import type { Isolation } from '../../model/options.ts'
import { defineCommand } from '../command.ts'
import { DONE } from '../endings.ts'
import { functionNames } from '../function-names.ts'
import { Interrupts, unlessAborted } from '../interrupts.ts'
import { makeRunner, PATH, tlsOf } from '../node-parts.ts'
import { importWithPeers } from '../peers.ts'
import { pick } from '../pick.ts'
import { file, integer, moduleFile, names, oneOf, seconds, text } from '../values.ts'

const PEERS = ['fastify', '@fastify/swagger', '@fastify/rate-limit', 'typebox', 'devalue']
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const COUNT = { min: 0, max: Number.MAX_SAFE_INTEGER }

export const serve = defineCommand({
  name: 'serve',
  summary: 'let others call the functions of a module',
  parameters: { module: moduleFile('MODULE', 'the functions module, such as ./functions.js') },
  options: {
    port: integer('PORT', '0 takes any that is free. Default: 1811', { min: 0, max: 65_535 }),
    host: text('HOST', "the address to listen on; any but this machine's own needs --tls-ca. Default: 127.0.0.1"),
    functions: names('NAMES', 'which of them may be called, with commas between. Default: all'),
    prefix: PATH,
    'tls-cert': file('FILE', 'PEM: the certificate of this node; it serves HTTPS then'),
    'tls-key': file('FILE', "PEM: that certificate's key"),
    'tls-ca': file('FILE', 'PEM: the authorities whose clients are let in; a client needs a certificate then'),
    isolation: oneOf<Isolation>('WHERE', 'where calls run: thread or process. Default: thread', ['thread', 'process']),
    threads: integer('N', 'threads at most. Default: the number of processors', { ...COUNT, min: 1 }),
    processes: integer('N', 'child processes at most. Default: twice that number', { ...COUNT, min: 1 }),
    'queue-limit': integer('N', 'calls that may wait to be run. Default: 10000', COUNT),
    retain: seconds('how long a finished call can be asked for. Default: 600'),
    grace: seconds('time between a polite abort and a kill. Default: 1'),
    'log-level': oneOf('LEVEL', `one of ${LEVELS.join(', ')}. Default: info`, LEVELS),
  },
  details: [
    'Times are in seconds. The log goes to standard output, one JSON document a line.',
    'SIGTERM and SIGINT (Ctrl-C) end the node: it takes no more calls, and waits are answered until the calls under way have ended. A second signal aborts these calls, and a third ends the process at once.',
  ],
  examples: [
    'coatcheck serve ./functions.js --functions resize,report',
    'coatcheck serve ./functions.js --host 0.0.0.0 --tls-cert node.pem --tls-key node-key.pem --tls-ca ca.pem',
  ],

  run: async (given, shell) => {
    const tls = tlsOf(given)
    const { serve: listen } = await importWithPeers(() => import('../../http.ts'), PEERS)
    const { pino } = await import('pino')
    const logger = pino({ level: given['log-level'] ?? 'info' }, { write: (line) => void shell.stdout.write(line) })
    const runner = await makeRunner(given, logger)
    const interrupts = new Interrupts(shell)
    const start = async (): Promise<Served> => {
      await runner.ready()
      const functions = given.functions ?? (await functionNames(given.module))
      const options = { ...pick(given, 'port', 'host', 'prefix'), ...(tls && { tls }), functions, logger }
      const node = await listen(runner, options)
      logger.info({ url: node.url + (given.prefix ?? ''), functions }, 'the node is listening')
      return node
    }
    try {
      const node = await unlessAborted(start(), interrupts.first)
      if (!node) return interrupts.last
      if (!interrupts.first.aborted) await once(interrupts.first, 'abort')
      await drain(node, interrupts, logger)
      return DONE
    } finally {
      interrupts.stop()
      await runner.close({ abort: true })
    }
  },
})

/** The first signal lets calls end, and the second aborts them. */
async function drain(node: Served, interrupts: Interrupts, logger: Logger): Promise<void> {
  logger.info({ signal: interrupts.last }, 'the node is closing: it takes no more calls, and those under way end')
  const closed = node.close().then(() => true)
  if (!(await unlessAborted(closed, interrupts.second))) {
    // Before it is told: whoever reads that may send the third at once.
    interrupts.stop()
    logger.warn({ signal: interrupts.last }, 'the calls under way are aborted')
    await node.close({ abort: true })
  }
  logger.info('the node is closed')
}
