import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { newCall } from '../helpers/fake-executor.ts'

test('a call is queued until its function begins, running until it ends', () => {
  const call = newCall()
  equal(call.state, 'queued')
  call.place = { cpid: 1, startedAt: undefined }
  equal(call.state, 'queued')
  call.place = { cpid: 1, startedAt: 5 }
  equal(call.state, 'running')
  call.end({ ok: true, value: 1 }, 5, 6)
  equal(call.state, 'finished')
})

test('a call ends once: the first end stands', () => {
  const call = newCall()
  equal(call.end({ ok: true, value: 'first' }, 5, 6), true)
  equal(call.end({ ok: true, value: 'second' }, undefined, 9), false)
  deepEqual([call.outcome, call.startedAt, call.endedAt], [{ ok: true, value: 'first' }, 5, 6])
})

test('a call that ended lets go of its arguments', () => {
  const big = new ArrayBuffer(8)
  const call = newCall({ args: [big], transfer: [big] })
  call.place = { cpid: 1, startedAt: 5 }
  call.end({ ok: true, value: 1 }, 5, 6)
  deepEqual([call.args, call.transfer, call.place], [[], undefined, undefined])
})
