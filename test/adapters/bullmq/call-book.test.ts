import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallBook } from '../../../src/adapters/bullmq/call-book.ts'
import { QueuedCall } from '../../../src/adapters/bullmq/queued-call.ts'
import { ServerClock } from '../../../src/adapters/bullmq/server-clock.ts'
import { CallIds } from '../../../src/model/call-id.ts'

test('a call whose news came when its outcome was no longer kept is finished, and then expired', () => {
  const dropped: string[] = []
  const clock = new ServerClock()
  const book = new CallBook({ clock, retainLimit: 10, drop: (jobId) => dropped.push(jobId) })
  const call = new QueuedCall(new CallIds('0000abcd').create(0), true)
  call.retain = 1_000
  call.isTold = true
  const told: string[] = []
  book.listeners.on('finished', ({ id }) => told.push(`finished ${id}`))
  book.listeners.on('expired', ({ id }) => told.push(`expired ${id}`))
  book.add(call)
  book.admitted(call)
  const endedAt = clock.now() - 2_000
  book.ended(call, { outcome: { ok: true, value: 1 }, times: { startedAt: endedAt, endedAt } })
  assert.deepEqual(told, [`finished ${call.id}`, `expired ${call.id}`])
  assert.deepEqual(dropped, [call.jobId])
  assert.equal(book.stats().total.expired, 1)
})
