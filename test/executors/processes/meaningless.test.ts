import { equal } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createRunner, type Runner } from '../../../src/index.ts'
import { encodeError } from '../../../src/protocol/encoded-error.ts'
import { serialize } from '../../../src/protocol/serialize.ts'
import { failure, FUNCTIONS, type Functions } from '../../fixtures/processes/harness.ts'
import { within } from '../../fixtures/threads/harness.ts'

const error = encodeError(new RangeError('made up'))
const again = { kind: 'again', index: 5 }
/** 15 levels stand for 32,768 errors. */
let bomb: unknown = error
for (let i = 0; i < 15; i++) bomb = { ...error, errors: [bomb, bomb] }
const loop = { ...error, cause: undefined as unknown }
loop.cause = loop

// All of them in frames that are right, and carry what their call's answers carry.
const MEANINGLESS: [what: string, message: unknown][] = [
  ['nothing', undefined],
  ['a text', 'result'],
  ['an unknown message', { type: 'other' }],
  ['a result of an unknown kind', { type: 'result', kind: 99, value: null, endedAt: 0 }],
  ['a result that ended at no time', { type: 'result', kind: 0, value: 1, endedAt: NaN }],
  ['a thrown value that is none', { type: 'result', kind: 1, value: null, endedAt: 0 }],
  ['a result that cannot travel, and no error', { type: 'result', kind: 3, value: { kind: 'value' }, endedAt: 0 }],
  ['an error without its properties', { type: 'crashed', error: { ...error, properties: undefined } }],
  ['an error from before, of which there is none', { type: 'result', kind: 1, value: again, endedAt: 0 }],
  ['a few errors that stand for very many', { type: 'result', kind: 1, value: bomb, endedAt: 0 }],
  ['an error that is its own cause', { type: 'result', kind: 1, value: loop, endedAt: 0 }],
  ['that its call begins once more', { type: 'started', at: 0 }],
  ['that it began at no time', { type: 'started', at: Infinity }],
  ['that it is ready, with a call', { type: 'ready', functions: ['tell'] }],
  ['functions without names', { type: 'ready', functions: [5] }],
  ['that it could not start, with a call', { type: 'failed', error }],
  ['a log line of an unknown level', { type: 'log', level: 'loud', args: [] }],
  ['a log line without values', { type: 'log', level: 'info', args: [{ kind: 'properties', properties: [['a']] }] }],
  ['a result of no size', { type: 'too-large', bytes: '1', endedAt: 0 }],
]

describe('a process that says what means nothing has broken the rules, and nothing else suffers:', () => {
  let runner: Runner<Functions>
  before(() => {
    const define = { add: { reuse: 1_000 } }
    runner = createRunner<Functions>({ functions: FUNCTIONS, isolation: 'process', processes: { max: 1 }, define })
  })
  after(() => within(10_000, runner.close({ abort: true, grace: 0 }), 'the runner does not close'))

  for (const [what, message] of MEANINGLESS) {
    test(what, { timeout: 30_000 }, async () => {
      const call = failure(runner.call('tell', [new Uint8Array(serialize(message))]), 'PROTOCOL_ERROR')
      // It waits for the only place that there is.
      const next = runner.call('add', [1, 2])
      equal((await call).fn, 'tell')
      equal(await next, 3)
    })
  }

  test('all of them have ended, and the runner closes', async () => {
    await within(10_000, runner.close(), 'the runner does not close')
    equal(runner.stats().total.failed, MEANINGLESS.length)
  })
})
