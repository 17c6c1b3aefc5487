import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import {
  childrenOf,
  failure,
  MEGABYTE,
  needsLinux,
  ownSpawner,
  pidIn,
  processRunner,
  signposts,
} from '../../fixtures/processes/harness.ts'
import { until } from '../../helpers/latch.ts'

test('what a function throws is the cause, and nothing is wrong with its process', async (t) => {
  const runner = processRunner(t)
  const status = await runner.start('throwError', ['thrown'], { timeout: Infinity })
  ok(status.finished && !status.ok)
  equal(status.error.code, 'FUNCTION_THREW')
  ok(status.error.cause instanceof RangeError)
  equal(status.error.cause.message, 'thrown')
})

test('an exit without a result is an error, with its exit code: also the code 0', async (t) => {
  const runner = processRunner(t)
  for (const code of [0, 1, 7, 255]) {
    const error = await failure(runner.call('exit', [code]), 'WORKER_CRASHED')
    deepEqual([error.exitCode, error.signal, error.started, error.retryable], [code, undefined, 'yes', false])
  }
})

test('signals are told apart, from one another and from an exit', needsLinux, async (t) => {
  const runner = processRunner(t)
  for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGKILL', 'SIGUSR2', 'SIGHUP'] as const) {
    const error = await failure(runner.call('killSelf', [signal]), 'WORKER_CRASHED')
    deepEqual([error.signal, error.exitCode, error.started], [signal, undefined, 'yes'])
    match(error.message, new RegExp(signal))
  }
})

test('a SIGKILL from outside is no kill of ours', async (t) => {
  const runner = processRunner(t)
  const trail = signposts(t).trail()
  const call = runner.call('spin', [trail.path], { abortAfter: 600_000 })
  process.kill(await pidIn(trail), 'SIGKILL')
  const error = await failure(call, 'WORKER_CRASHED')
  deepEqual([error.signal, error.step], ['SIGKILL', undefined])
})

test('an error that nobody catches ends the process and is the cause, with the last of stderr', async (t) => {
  const runner = processRunner(t)
  const error = await failure(runner.call('throwUncaught', ['nobody catches this']), 'WORKER_CRASHED')
  ok(error.cause instanceof RangeError)
  equal(error.cause.message, 'nobody catches this')
  equal(error.exitCode, 1)
  match(error.stderr ?? '', /RangeError: nobody catches this/)
})

test('a heap that is full is OUT_OF_MEMORY', needsLinux, async (t) => {
  const runner = processRunner(t, { define: { fillHeap: { execArgv: ['--max-old-space-size=40'] } } })
  const error = await failure(runner.call('fillHeap', []), 'OUT_OF_MEMORY')
  match(error.message, /ran out of heap/)
  ok(error.signal !== undefined, 'the signal is told')
  ok(error.stderr !== undefined, 'and the last of what it wrote')
})

test('who only says that the heap is full is not taken at his word', async (t) => {
  const runner = processRunner(t, { processes: { max: 1 }, define: { print: { reuse: 5 }, exit: { reuse: 5 } } })
  await runner.call('print', ['JavaScript heap out of memory\n', 1, 'stderr'])
  const error = await failure(runner.call('exit', [3]), 'WORKER_CRASHED')
  equal(error.exitCode, 3)
  // What the call before it in the same process printed is not this one's.
  equal(error.stderr, undefined)
})

test(
  'more memory than its limit is OUT_OF_MEMORY: in the heap, and in buffers outside of it',
  needsLinux,
  async (t) => {
    const limits = { memory: 128 * MEGABYTE }
    const runner = processRunner(t, { define: { fillHeap: limits, fillBuffers: limits, add: limits } })
    equal(await runner.call('add', [1, 2]), 3)
    const heap = await failure(runner.call('fillHeap', []), 'OUT_OF_MEMORY')
    equal(heap.started, 'yes')
    match((await failure(runner.call('fillBuffers', []), 'OUT_OF_MEMORY')).message, /more memory than its limit/)
  },
)

test(
  'more processor time than its limit is DEADLINE_EXCEEDED, and time that it sleeps is none',
  needsLinux,
  async (t) => {
    const runner = processRunner(t, { define: { burn: { cpuTime: 1_000 }, wait: { cpuTime: 1_000 } } })
    const error = await failure(runner.call('burn', []), 'DEADLINE_EXCEEDED')
    deepEqual([error.step, error.started], ['killed', 'yes'])
    match(error.message, /cpuTime/)
    equal(await runner.call('wait', [1_200, 'slept']), 'slept')
  },
)

test('a process that ends before its call begins costs what was moved with the call', needsLinux, async (t) => {
  const runner = processRunner(t)
  await runner.ready()
  const spare = childrenOf(await ownSpawner())[0]?.pid as number
  process.kill(spare, 'SIGSTOP')
  const buffer = new ArrayBuffer(8)
  const call = failure(runner.call('echo', [buffer], { transfer: [buffer] }), 'WORKER_CRASHED')
  await until('the move', () => buffer.detached)
  process.kill(spare, 'SIGKILL')
  const error = await call
  deepEqual([error.started, error.retryable, error.signal], ['no', false, 'SIGKILL'])
})

test('a function that closes what its process answers on has broken the rules, whatever it does next', async (t) => {
  const runner = processRunner(t, { processes: { max: 3 } })
  const ways = ['return', 'throw', 'report'] as const
  const ends = ways.map((then) => failure(runner.call('closeAnswersAnd', [then]), 'PROTOCOL_ERROR'))
  for (const error of await Promise.all(ends)) {
    match(error.message, /closed its answers/)
    equal(error.started, 'yes')
  }
  equal(await runner.call('add', [1, 2]), 3)
})

test('what a function has started counts for its limits', needsLinux, async (t) => {
  // On a busy machine either could come to the other's limit first.
  const hasty = processRunner(t, { define: { startEaters: { cpuTime: 2_000 } } })
  const large = processRunner(t, { define: { startEaters: { memory: 300 * MEGABYTE } } })
  const time = failure(hasty.call('startEaters', ['processor', 2]), 'DEADLINE_EXCEEDED')
  const memory = failure(large.call('startEaters', ['memory', 3]), 'OUT_OF_MEMORY')
  match((await time).message, /cpuTime/)
  match((await memory).message, /more memory than its limit/)
})
