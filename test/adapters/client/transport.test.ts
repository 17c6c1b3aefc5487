import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { NoAnswer } from '../../../src/adapters/client/exchange.ts'
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
