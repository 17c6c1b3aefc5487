import { deepEqual, equal, ok } from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { test, type TestContext } from 'node:test'
import { CallError, type CallTrace } from '../../../src/index.ts'
import { commonRunner, endOf } from '../../fixtures/threads/harness.ts'

interface Trace {
  name: string
  trace: CallTrace
}

test('a tracer sees a call from its admission to its end, as one object', async (t) => {
  const seen = subscribe(t)
  const runner = commonRunner(t, { threads: { max: 1 } })
  const call = runner.call('add', [1, 2])
  deepEqual(
    seen.map(({ name }) => name),
    ['start', 'end'],
  )
  equal(await call, 3)
  deepEqual(
    seen.map(({ name }) => name),
    ['start', 'end', 'asyncStart', 'asyncEnd'],
  )
  const [{ trace } = seen[0]!] = seen
  ok(seen.every((each) => each.trace === trace))
  deepEqual([trace.fn, trace.args, trace.result, trace.error], ['add', [1, 2], 3, undefined])
  ok(trace.id.startsWith(`${process.pid}:`))
})

test('what a tracer binds to the start of a call holds while the call is admitted', async (t) => {
  const channel = tracingChannel<string, CallTrace>('coatcheck:call')
  const span = new AsyncLocalStorage<string>()
  channel.start.bindStore(span, ({ fn }) => `span of ${fn}`)
  t.after(() => channel.start.unbindStore(span))
  const runner = commonRunner(t, { threads: { max: 1 } })
  await runner.ready()
  const seen: (string | undefined)[] = []
  const { nextTick } = process
  // By which its executor is woken.
  const spied = t.mock.method(process, 'nextTick', (tick: () => void, ...args: []) => {
    seen.push(span.getStore())
    nextTick(tick, ...args)
  })
  const call = runner.call('add', [1, 2])
  spied.mock.restore()
  deepEqual(seen, ['span of add'])
  equal(span.getStore(), undefined)
  equal(await call, 3)
})

test('a tracer sees the error of a call that failed, before its end', async (t) => {
  const seen = subscribe(t)
  const runner = commonRunner(t, { threads: { max: 1 } })
  await endOf(runner.call('boom', []))
  deepEqual(
    seen.map(({ name }) => name),
    ['start', 'end', 'error', 'asyncStart', 'asyncEnd'],
  )
  const { error } = seen.at(-1)?.trace ?? {}
  ok(error instanceof CallError)
  equal(error.code, 'FUNCTION_THREW')
})

test('the id that a tracer reads is the one that the caller gets', async (t) => {
  const seen = subscribe(t)
  const runner = commonRunner(t, { threads: { max: 1 } })
  const status = await runner.start('add', [1, 2], { timeout: 0 })
  ok(!status.finished)
  await runner.wait(status.id)
  deepEqual(new Set(seen.map(({ trace }) => trace.id)), new Set([status.id]))
})

test('each of many calls of one turn is traced to its own end', async (t) => {
  const seen = subscribe(t)
  const runner = commonRunner(t, { threads: { max: 2 } })
  await Promise.all(Array.from({ length: 100 }, (_, i) => runner.call('echo', [i])))
  const ended = seen.filter(({ name }) => name === 'asyncEnd').map(({ trace }) => trace)
  equal(new Set(ended).size, 100)
  for (const { args, result } of ended) deepEqual(args, [result])
})

test('a tracer that comes while a call is under way sees nothing of it', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  const call = runner.call('blockFor', [20])
  const seen = subscribe(t)
  await call
  deepEqual(seen, [])
})

test('what a tracer throws harms no call', async (t) => {
  const uncaught: unknown[] = []
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error))
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  const bad = (): never => {
    throw new Error('a bad tracer')
  }
  const handlers = { start: bad, end: bad, asyncStart: bad, asyncEnd: bad, error: bad }
  const channel = tracingChannel('coatcheck:call')
  channel.subscribe(handlers)
  t.after(() => {
    channel.unsubscribe(handlers)
  })
  const runner = commonRunner(t, { threads: { max: 1 } })
  equal(await runner.call('add', [1, 2]), 3)
  await new Promise((resolve) => setImmediate(resolve))
  ok(uncaught.length > 0)
})

/** Subscribes until the test ends. */
function subscribe(t: TestContext): Trace[] {
  const seen: Trace[] = []
  const note = (name: string) => (trace: unknown) => {
    seen.push({ name, trace: trace as CallTrace })
  }
  const handlers = {
    start: note('start'),
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  }
  const channel = tracingChannel('coatcheck:call')
  channel.subscribe(handlers)
  t.after(() => {
    channel.unsubscribe(handlers)
  })
  return seen
}
