import { deepEqual, equal, ok } from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Clock } from '../../src/model/clock.ts'
import type { Call } from '../../src/table/call.ts'
import { Waits, type Wait } from '../../src/table/waits.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { newCall } from '../helpers/fake-executor.ts'

/** How one wait went: `answers` counts how often it was settled. */
interface Watched {
  answers: number
  at: number | undefined
  reason: unknown
}

function watch(clock: Clock, wait: Promise<void>): Watched {
  const watched: Watched = { answers: 0, at: undefined, reason: undefined }
  const answered = (reason?: unknown): void => {
    watched.answers += 1
    watched.at = clock.now()
    watched.reason = reason
  }
  wait.then(() => answered(), answered)
  return watched
}

function setUp(): {
  clock: FakeClock
  waits: Waits
  call: Call
  add: (timeout: number, signal?: AbortSignal) => Watched
} {
  const clock = new FakeClock()
  const waits = new Waits(clock)
  const call = newCall()
  return { clock, waits, call, add: (timeout, signal) => watch(clock, waits.add(call, timeout, signal)) }
}

/** The waits that hang on a call, and a check that they hang together in both directions. */
function chain(call: Call): Wait[] {
  const found: Wait[] = []
  let before: Wait | undefined
  for (let wait = call.firstWait; wait; wait = wait.after) {
    equal(wait.before, before)
    found.push(wait)
    before = wait
  }
  return found
}

test('a wait is answered when its call ends', async () => {
  const { clock, waits, call, add } = setUp()
  const wait = add(10_000)
  await clock.advance(3)
  equal(wait.answers, 0)
  waits.callEnded(call)
  await clock.settle()
  deepEqual(wait, { answers: 1, at: clock.now(), reason: undefined })
  equal(waits.size, 0)
})

test('a wait is answered at its timeout, however long it is', async () => {
  for (const timeout of [1, 2, 3, 4, 20, 1_000, 29_000, 2 ** 31 - 1]) {
    const { clock, waits, call, add } = setUp()
    const start = clock.now()
    const wait = add(timeout)
    await clock.advance(timeout - 1)
    equal(wait.answers, 0)
    await clock.advance(1)
    deepEqual(wait, { answers: 1, at: start + timeout, reason: undefined })
    deepEqual([waits.size, chain(call)], [0, []])
  }
})

test("a wait longer than Node's longest timer is answered at its timeout", async () => {
  for (const timeout of [2 ** 31, 2 ** 31 + 1_000, 2 ** 40]) {
    const { clock, waits, add } = setUp()
    const start = clock.now()
    const wait = add(timeout)
    await clock.advance(timeout - 1)
    equal(wait.answers, 0)
    await clock.advance(1)
    deepEqual(wait, { answers: 1, at: start + timeout, reason: undefined })
    equal(waits.size, 0)
  }
})

test("a signal's wait longer than Node's longest timer is answered at its timeout", async () => {
  const { clock, waits, add } = setUp()
  const wait = add(2 ** 31 + 5, new AbortController().signal)
  await clock.advance(2 ** 31 + 4)
  equal(wait.answers, 0)
  await clock.advance(1)
  deepEqual([wait.answers, waits.size], [1, 0])
})

test('a wait without a limit has no timer', async () => {
  const { clock, waits, call, add } = setUp()
  const wait = add(Infinity)
  equal(clock.pending, 0)
  await clock.advance(2 ** 33)
  equal(wait.answers, 0)
  waits.callEnded(call)
  await clock.settle()
  equal(wait.answers, 1)
})

test('a wait that was answered by the end is not answered again by its timeout', async () => {
  for (const timeout of [1, 4, 20, 10_000]) {
    const { clock, waits, call, add } = setUp()
    const wait = add(timeout)
    waits.callEnded(call)
    await clock.advance(timeout + 100)
    deepEqual([wait.answers, waits.size, clock.pending], [1, 0, 0])
  }
})

test('a wait that was answered by its timeout is not answered again by the end', async () => {
  for (const timeout of [1, 4, 20, 10_000]) {
    const { clock, waits, call, add } = setUp()
    const wait = add(timeout)
    await clock.advance(timeout)
    waits.callEnded(call)
    await clock.advance(100)
    deepEqual([wait.answers, waits.size, clock.pending], [1, 0, 0])
  }
})

test('young waits share one timer', async () => {
  const { clock, waits, call, add } = setUp()
  for (let i = 0; i < 1_000; i++) add(10_000)
  equal(clock.pending, 1)
  await clock.advance(3)
  for (let i = 0; i < 1_000; i++) add(10_000)
  equal(clock.pending, 1)
  waits.callEnded(call)
  await clock.advance(20)
  // Nobody looks any more when there is nothing to look at.
  equal(clock.pending, 0)
})

test('a wait has a timer of its own once it has lived for some milliseconds, and takes it along', async () => {
  const { clock, waits, call, add } = setUp()
  const count = 10
  for (let i = 0; i < count; i++) add(10_000)
  await clock.advance(20)
  equal(clock.pending, count)
  waits.callEnded(call)
  await clock.settle()
  equal(clock.pending, 0)
})

test('waits that began at different times are answered at their own timeouts, never early', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 40 })), {
        minLength: 1,
        maxLength: 30,
      }),
      async (plan) => {
        const { clock, waits, add } = setUp()
        const waiting: { until: number; wait: Watched }[] = []
        for (const [pause, timeout] of plan) {
          await clock.advance(pause)
          waiting.push({ until: clock.now() + timeout, wait: add(timeout) })
        }
        await clock.advance(100)
        for (const { until, wait } of waiting) {
          equal(wait.answers, 1)
          const late = (wait.at as number) - until
          // One that is nearly over when it would get its timer may be some milliseconds late.
          ok(late >= 0 && late < 4, `${late} ms late`)
        }
        deepEqual([waits.size, clock.pending], [0, 0])
      },
    ),
  )
})

test('the end of a call answers all of its waits and no others', async () => {
  const { clock, waits, call, add } = setUp()
  const other = newCall({ seq: 2 })
  const otherWait = watch(clock, waits.add(other, 10_000))
  const own = [add(1), add(4), add(50), add(10_000), add(Infinity), add(10_000, new AbortController().signal)]
  waits.callEnded(call)
  await clock.settle()
  deepEqual(
    own.map(({ answers }) => answers),
    [1, 1, 1, 1, 1, 1],
  )
  deepEqual([otherWait.answers, waits.size], [0, 1])
})

test("a signal takes its own wait away and no others, with the signal's reason", async () => {
  const { clock, waits, call, add } = setUp()
  const gone = new AbortController()
  const [before, own, after] = [add(10_000), add(10_000, gone.signal), add(10_000, new AbortController().signal)]
  const reason = new Error('the client is gone')
  gone.abort(reason)
  await clock.settle()
  deepEqual([own.answers, own.reason], [1, reason])
  deepEqual([before.answers, after.answers, waits.size, chain(call).length], [0, 0, 2, 2])
  waits.callEnded(call)
  await clock.advance(20_000)
  deepEqual([own.answers, before.answers, after.answers, waits.size], [1, 1, 1, 0])
})

test('a signal can take away a wait without a limit', async () => {
  const { clock, waits, call, add } = setUp()
  const gone = new AbortController()
  const wait = add(Infinity, gone.signal)
  await clock.advance(100_000)
  equal(wait.answers, 0)
  gone.abort('gone')
  await clock.settle()
  deepEqual([wait.answers, wait.reason], [1, 'gone'])
  deepEqual([waits.size, call.firstWait, clock.pending], [0, undefined, 0])
})

test('a wait whose signal had aborted before is gone at once', async () => {
  const { clock, waits, add } = setUp()
  const wait = add(10_000, AbortSignal.abort('gone'))
  await clock.settle()
  deepEqual([wait.answers, wait.reason, waits.size, clock.pending], [1, 'gone', 0, 0])
})

test('nothing is left on a signal when its wait is over, however it ended', async () => {
  const { clock, waits, call, add } = setUp()
  const { signal } = new AbortController()
  for (const timeout of [1, 50, Infinity, 10_000]) add(timeout, signal)
  await clock.advance(100)
  waits.callEnded(call)
  await clock.settle()
  equal(getEventListeners(signal, 'abort').length, 0)
})

test('a call that ends as the timer of its wait fires answers that wait once', async () => {
  const { call } = setUp()
  const timers: (() => void)[] = []
  const clock: Clock = {
    now: () => 0,
    setTimeout: (callback) => {
      timers.push(callback)
      return { clear: () => undefined }
    },
  }
  const waits = new Waits(clock)
  const wait = watch(clock, waits.add(call, 1))
  equal(timers.length, 1)
  // Both before a promise can settle.
  timers[0]?.()
  waits.callEnded(call)
  equal(waits.size, 0)
  await new FakeClock().settle()
  deepEqual([wait.answers, waits.size, call.firstWait], [1, 0, undefined])
})

test('a call that ends as the signal of its wait aborts settles that wait once', async () => {
  const { clock, waits, call, add } = setUp()
  const gone = new AbortController()
  const wait = add(10_000, gone.signal)
  gone.abort()
  waits.callEnded(call)
  await clock.advance(20_000)
  deepEqual([wait.answers, waits.size, clock.pending], [1, 0, 0])
})

test('taking a wait away looks at its neighbours only', async () => {
  const { clock, waits, call, add } = setUp()
  const gone = Array.from({ length: 9 }, () => new AbortController())
  for (const { signal } of gone) add(10_000, signal)
  // The newest hangs first on the call.
  const far = [0, 1, 7, 8].map((at) => chain(call).at(at) as Wait)
  let looks = 0
  for (const wait of far) {
    for (const key of ['before', 'after'] as const) {
      let value = wait[key]
      Object.defineProperty(wait, key, {
        get: () => {
          looks += 1
          return value
        },
        set: (next: Wait | undefined) => {
          looks += 1
          value = next
        },
      })
    }
  }
  gone[4]?.abort()
  await clock.settle()
  equal(looks, 0)
  deepEqual([waits.size, chain(call).length], [8, 8])
})

test('waits that come and go in any order leave nothing behind', async () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        timeout: fc.constantFrom(1, 3, 10, 60, 10_000, Infinity),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), at: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 30 }) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { clock, waits, call, add } = setUp()
      const all: { wait: Watched; gone: AbortController }[] = []
      for (const each of steps) {
        if (each.do === 'add') {
          const gone = new AbortController()
          all.push({ gone, wait: add(each.timeout, gone.signal) })
        } else if (each.do === 'advance') await clock.advance(each.ms)
        else if (all.length > 0) {
          all[each.at % all.length]?.gone.abort()
          await clock.settle()
        }
        const open = all.filter(({ wait }) => wait.answers === 0).length
        deepEqual([waits.size, chain(call).length], [open, open])
      }
      waits.callEnded(call)
      await clock.advance(20)
      for (const { wait } of all) equal(wait.answers, 1)
      deepEqual([waits.size, call.firstWait, clock.pending], [0, undefined, 0])
    }),
  )
})
