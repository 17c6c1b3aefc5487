import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../../src/table/call.ts'
import { Retention } from '../../src/table/retention.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { newCall } from '../helpers/fake-executor.ts'

function setUp({ limit = 100 }: { limit?: number } = {}): {
  clock: FakeClock
  retention: Retention
  expired: { seq: number; at: number }[]
  keep: (retain: number) => Call
} {
  const clock = new FakeClock()
  const expired: { seq: number; at: number }[] = []
  const retention = new Retention({ clock, limit, onExpired: ({ seq }) => expired.push({ seq, at: clock.now() }) })
  let seq = 0
  return {
    clock,
    retention,
    expired,
    keep: (retain) => {
      seq += 1
      const call = newCall({ seq, retain })
      call.end({ ok: true, value: seq }, clock.now(), clock.now())
      retention.keep(call)
      return call
    },
  }
}

test('a call is dropped when its retain is over, and not before', async () => {
  const { clock, retention, expired, keep } = setUp()
  const start = clock.now()
  keep(1_000)
  await clock.advance(999)
  deepEqual([retention.size, expired], [1, []])
  await clock.advance(1)
  deepEqual([retention.size, expired], [0, [{ seq: 1, at: start + 1_000 }]])
})

test('retain counts from the end of the call, not from when it was kept', async () => {
  const { clock, retention, expired } = setUp()
  const call = newCall({ retain: 100 })
  call.end({ ok: true, value: 1 }, clock.now(), clock.now())
  await clock.advance(60)
  retention.keep(call)
  await clock.advance(39)
  equal(expired.length, 0)
  await clock.advance(1)
  equal(expired.length, 1)
})

test('each call has its own retain, in whatever order they come', async () => {
  const { clock, retention, expired, keep } = setUp()
  const start = clock.now()
  for (const retain of [500, 100, 300, 100, 2 ** 32]) keep(retain)
  equal(clock.pending, 1)
  await clock.advance(1_000)
  deepEqual(
    expired.map(({ seq, at }) => [seq, at - start]).toSorted(([a = 0], [b = 0]) => a - b),
    [
      [1, 500],
      [2, 100],
      [3, 300],
      [4, 100],
    ],
  )
  deepEqual(
    expired.map(({ at }) => at),
    expired.map(({ at }) => at).toSorted((a, b) => a - b),
  )
  equal(retention.size, 1)
})

test('above the limit the calls that ended first are dropped', () => {
  const { retention, expired, keep } = setUp({ limit: 3 })
  for (let i = 0; i < 5; i++) keep(1_000 - i)
  equal(retention.size, 3)
  deepEqual(
    expired.map(({ seq }) => seq),
    [1, 2],
  )
})

test('a call that was dropped for the limit does not expire once more', async () => {
  const { clock, expired, keep } = setUp({ limit: 1 })
  keep(100)
  keep(200)
  await clock.advance(1_000)
  deepEqual(
    expired.map(({ seq }) => seq),
    [1, 2],
  )
})

test('a limit of 0 keeps nothing', () => {
  const { clock, retention, expired, keep } = setUp({ limit: 0 })
  keep(1_000)
  keep(Infinity)
  deepEqual([retention.size, expired.length, clock.pending], [0, 2, 0])
})

test('without a limit of age a call is kept until it is forgotten or the room is needed', async () => {
  const { clock, retention, expired, keep } = setUp({ limit: 2 })
  const first = keep(Infinity)
  equal(clock.pending, 0)
  await clock.advance(2 ** 40)
  equal(retention.size, 1)
  retention.forget(first)
  deepEqual([retention.size, expired], [0, []])
  for (let i = 0; i < 3; i++) keep(Infinity)
  deepEqual(
    expired.map(({ seq }) => seq),
    [2],
  )
})

test('a call that was forgotten does not expire', async () => {
  const { clock, retention, expired, keep } = setUp()
  const [first, second] = [keep(100), keep(200)]
  retention.forget(first)
  equal(retention.size, 1)
  await clock.advance(150)
  deepEqual(expired, [])
  retention.forget(second)
  retention.forget(second)
  await clock.advance(1_000)
  deepEqual([retention.size, expired], [0, []])
})

test('what has expired is dropped on request, also while the event loop was held up', async () => {
  const { clock, retention, expired, keep } = setUp()
  keep(100)
  keep(300)
  clock.skip(200)
  retention.sweep()
  deepEqual(
    expired.map(({ seq }) => seq),
    [1],
  )
  await clock.advance(100)
  deepEqual(
    expired.map(({ seq }) => seq),
    [1, 2],
  )
  equal(clock.pending, 0)
})

test('many calls need one timer, and it does not keep the process alive', () => {
  const { clock, keep } = setUp({ limit: 10_000 })
  for (let i = 0; i < 1_000; i++) keep(1_000 + ((i * 7_919) % 1_000))
  deepEqual([clock.pending, clock.pendingRef], [1, 0])
})

test('no timer is left when nothing is kept', async () => {
  const { clock, retention, keep } = setUp({ limit: 2 })
  const [first, second] = [keep(1_000), keep(500)]
  retention.forget(second)
  retention.forget(first)
  equal(clock.pending, 0)
  keep(100)
  await clock.advance(100)
  equal(clock.pending, 0)
  keep(100)
  clock.skip(100)
  retention.sweep()
  equal(clock.pending, 0)
})

test('a listener that looks for what has expired, as it is told of it, is not told twice', async () => {
  const clock = new FakeClock()
  const expired: number[] = []
  const retention: Retention = new Retention({
    clock,
    limit: 10,
    onExpired: ({ seq }) => {
      expired.push(seq)
      retention.sweep()
    },
  })
  for (let seq = 1; seq <= 5; seq++) {
    const call = newCall({ seq, retain: 100 })
    call.end({ ok: true, value: 1 }, undefined, clock.now())
    retention.keep(call)
  }
  await clock.advance(100)
  deepEqual(expired.toSorted(), [1, 2, 3, 4, 5])
  deepEqual([retention.size, clock.pending], [0, 0])
})
