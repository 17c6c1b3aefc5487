import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { Exchange, NoAnswer } from '../../../src/adapters/client/exchange.ts'
import { Transport } from '../../../src/adapters/client/transport.ts'
import { systemClock } from '../../../src/model/clock.ts'
import { thrownBy } from '../../suites/answers.ts'

const OPTIONS = { origin: 'http://127.0.0.1:1', tls: {}, connectTimeout: 1_000 }

test('a request that fails while it is being handed over is told of, and leaves nothing behind', async (t) => {
  const transport = new Transport(OPTIONS, systemClock)
  t.after(() => transport.close(() => new Error('closed')))
  const { signal } = new AbortController()
  const request = { method: 'GET', path: 'without a slash', headers: {} } as const
  const error = await thrownBy(transport.send(request, 60_000, signal))
  assert.ok(error instanceof NoAnswer)
  assert.equal(error.isSent, false)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('an error about all addresses of a host says what was wrong with each', () => {
  const told: unknown[] = []
  const exchange = new Exchange(
    () => undefined,
    (error) => told.push(error),
  )
  const errors = [new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')]
  exchange.onResponseError({} as never, new AggregateError(errors))
  assert.equal((told[0] as Error).message, 'connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1')
})
