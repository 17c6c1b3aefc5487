import { equal, ok, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { underLoad } from '../../bench/harness/load.ts'
import { block } from '../fixtures/threads/latch.ts'

const load = { inFlight: 8, warmUp: 5, duration: 20 }

test('as many calls as asked for are under way at any time, and none is left', async () => {
  let underWay = 0
  const seen = new Set<number>()
  await underLoad(async () => {
    underWay += 1
    await new Promise(setImmediate)
    seen.add(underWay)
    underWay -= 1
  }, load)
  equal(Math.max(...seen), 8)
  equal(underWay, 0)
})

test('nothing of the warming up is kept', async () => {
  let isFirst = true
  const { p999 } = await underLoad(
    async () => {
      if (isFirst) block(500)
      isFirst = false
    },
    { inFlight: 1, warmUp: 5, duration: 20 },
  )
  ok(p999 < 500_000, `${p999} µs`)
})

test('how long a call took is in microseconds', async () => {
  const took = 3
  const { p50, p999 } = await underLoad(async () => block(took), { inFlight: 1, warmUp: 0, duration: 30 })
  ok(p50 >= took * 1_000, `${p50} µs`)
  ok(p999 >= p50)
})

test('a call that fails ends the measurement', async () => {
  await rejects(
    underLoad(async () => {
      throw new Error('no thread')
    }, load),
    /no thread/,
  )
})
