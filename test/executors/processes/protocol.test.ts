import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  failure,
  MEGABYTE,
  moduleOf,
  needsLinux,
  pidIn,
  processRunner,
  signposts,
  untilGone,
} from '../../fixtures/processes/harness.ts'
import { runnerOf } from '../../fixtures/threads/harness.ts'
import { until } from '../../helpers/latch.ts'

describe('what a process writes to its channel', () => {
  for (const text of ['garbage', 'x'.repeat(100_000), '\0'.repeat(64)]) {
    test(`is a protocol error when it is no frame: ${text.length} bytes of ${JSON.stringify(text[0])}`, async (t) => {
      const runner = processRunner(t)
      // Fewer bytes than a header: nobody can tell yet what they are.
      const enough = text.length < 20 ? text.repeat(4) : text
      const error = await failure(runner.call('garbage', [enough]), 'PROTOCOL_ERROR')
      match(error.message, /broke the rules of its channel/)
      equal(error.fn, 'garbage')
      equal(await runner.call('add', [1, 2]), 3)
    })
  }

  test('is refused before memory is taken for it when it claims too much', async (t) => {
    const runner = processRunner(t)
    const before = process.memoryUsage.rss()
    const error = await failure(runner.call('claimLength', [2_147_483_647]), 'RESULT_TOO_LARGE')
    match(error.message, /resultLimit/)
    ok(process.memoryUsage.rss() - before < 500 * MEGABYTE)
    equal(await runner.call('add', [1, 2]), 3)
  })

  test('is a protocol error when it is a frame of another call', async (t) => {
    const runner = processRunner(t)
    await failure(runner.call('foreignFrame', []), 'PROTOCOL_ERROR')
  })

  test('is a protocol error when there is no message in the frame', async (t) => {
    const runner = processRunner(t)
    await failure(runner.call('wrongBody', []), 'PROTOCOL_ERROR')
  })

  test('puts nothing off: a call that says it began in a thousand years is aborted in time', async (t) => {
    const clock = `
      process.hrtime = () => [1e12, 0]
      export function late() {
        return new Promise(() => {})
      }`
    const runner = runnerOf<{ late(): unknown }>(t, {
      functions: moduleOf(signposts(t), clock),
      isolation: 'process',
      define: { late: { abortAfter: 200, grace: 0 } },
    })
    equal((await failure(runner.call('late', []), 'DEADLINE_EXCEEDED')).step, 'killed')
    // Microseconds.
    ok(runner.stats().runTime.max < 60_000_000)
  })

  test('is a protocol error when the last frame is not whole', async (t) => {
    const runner = processRunner(t)
    match((await failure(runner.call('halfFrame', []), 'PROTOCOL_ERROR')).message, /not whole/)
  })

  test('ends the call when it is closed, and the process with it', async (t) => {
    const runner = processRunner(t)
    const trail = signposts(t).trail()
    match((await failure(runner.call('closeAnswers', [trail.path]), 'PROTOCOL_ERROR')).message, /closed its answers/)
    await untilGone(await pidIn(trail))
  })

  test('does not count for the call after it', async (t) => {
    const runner = processRunner(t, { processes: { max: 1 }, define: { answerForCallBefore: { reuse: 10 } } })
    const pid = await runner.call('answerForCallBefore', [])
    await failure(runner.call('answerForCallBefore', []), 'PROTOCOL_ERROR')
    notEqual(await runner.call('answerForCallBefore', []), pid)
  })
})

describe('results', () => {
  test('of 64 MB are whole, whatever the function does next', async (t) => {
    const runner = processRunner(t)
    const length = 64_000_000
    for (const fn of ['bytes', 'returnAndExit'] as const) {
      const value = await runner.call(fn, [length])
      equal(value.length, length)
      deepEqual([value[0], value[length - 1], value.indexOf(0)], [7, 7, -1])
    }
  })

  test('above resultLimit are refused, with how large they are', async (t) => {
    const runner = processRunner(t, { processes: { resultLimit: 10_000 }, define: { echo: { resultLimit: 1_000 } } })
    equal((await runner.call('bytes', [9_000])).length, 9_000)
    match((await failure(runner.call('bytes', [10_000]), 'RESULT_TOO_LARGE')).message, /"bytes".*10\d\d\d bytes.*10000/)
    match((await failure(runner.call('echo', [new Uint8Array(1_000)]), 'RESULT_TOO_LARGE')).message, /1000 bytes/)
    equal(await runner.call('echo', ['small']), 'small')
  })

  test('and arguments keep the types of structured clone', async (t) => {
    const runner = processRunner(t)
    const shared = { self: undefined as unknown }
    shared.self = shared
    const value = [new Map([[1n, new Set([/x/gi])]]), new Date(5), new Float64Array([1.5]), [undefined, null], shared]
    const back = (await runner.call('echo', [value])) as typeof value
    deepEqual(back, value)
    const last = back[4] as typeof shared
    equal(last.self, last)
  })

  test('and arguments of many megabytes travel', async (t) => {
    const runner = processRunner(t)
    const large = new Uint8Array(40 * MEGABYTE).fill(5)
    const value = (await runner.call('echo', [large])) as typeof large
    ok(Buffer.from(value.buffer).equals(large))
  })

  test('are not looked for on standard input, which is empty for functions', async (t) => {
    const runner = processRunner(t)
    equal(await runner.call('readStdin', []), '')
  })
})

test(
  'a process that serves more than one call serves no more than it may, and others take over',
  needsLinux,
  async (t) => {
    const runner = processRunner(t, { processes: { max: 1 }, define: { pid: { reuse: 3 } } })
    const pids: number[] = []
    for (let i = 0; i < 7; i++) pids.push(await runner.call('pid', []))
    const served = [...new Set(pids)].map((pid) => pids.filter((each) => each === pid).length)
    deepEqual(served, [3, 3, 1])
    await untilGone(pids[0] ?? 0)
  },
)

test('a process that crashes between two calls is replaced', async (t) => {
  const runner = processRunner(t, { processes: { max: 1, spares: 1 }, define: { throwLater: { reuse: 100 } } })
  const pid = await runner.call('throwLater', [])
  await untilGone(pid)
  // One that is sent to it before its end was heard of has crashed.
  const next = (): Promise<number> => runner.call('throwLater', []).catch(() => pid)
  await until('another', async () => (await next()) !== pid)
})
