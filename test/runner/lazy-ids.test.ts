import { equal, ok, rejects } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { CallIds } from '../../src/model/call-id.ts'
import type { AnyFunctions } from '../../src/model/functions.ts'
import { resolveOptions } from '../../src/model/options.ts'
import { LocalRunner } from '../../src/runner/local-runner.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { FakeExecutor } from '../helpers/fake-executor.ts'

// Most calls end before anybody needs their ID.

const MANY = 100

function setUp(t: TestContext): {
  runner: LocalRunner<AnyFunctions>
  executor: FakeExecutor
  clock: FakeClock
  idsMade: () => number
} {
  const { mock } = t.mock.method(CallIds.prototype, 'create')
  const clock = new FakeClock()
  let executor: FakeExecutor | undefined
  const runner = new LocalRunner<AnyFunctions>({
    options: resolveOptions({ functions: new URL(import.meta.url) }),
    clock,
    createExecutor: (_, ports) => (executor = new FakeExecutor(ports)),
  })
  return { runner, executor: executor as FakeExecutor, clock, idsMade: () => mock.callCount() }
}

test('no ID is made for calls that end within call', async (t) => {
  const { runner, executor, idsMade } = setUp(t)
  for (let i = 0; i < MANY; i++) {
    const answer = runner.call('work', [i])
    executor.return(executor.sendAndBegin(), i)
    equal(await answer, i)
  }
  equal(idsMade(), 0)
})

test('no ID is made for calls that end within the wait of start', async (t) => {
  const { runner, executor, idsMade } = setUp(t)
  for (let i = 0; i < MANY; i++) {
    const answer = runner.start('work', [i])
    executor.return(executor.sendAndBegin(), i)
    const status = await answer
    ok(status.finished && status.id === undefined)
  }
  equal(idsMade(), 0)
})

test('no ID is made for calls that fail, as long as nobody is told of them', async (t) => {
  const { runner, executor, idsMade } = setUp(t)
  for (let i = 0; i < MANY; i++) {
    const call = runner.call('work', [])
    executor.throw(executor.sendAndBegin(), new RangeError('boom'))
    await rejects(call, RangeError)
    const start = runner.start('work', [])
    executor.crash(executor.sendAndBegin())
    const status = await start
    ok(status.finished && !status.ok)
    equal(status.error.id, undefined)
  }
  equal(idsMade(), 0)
})

test('no ID is made for calls whose signals abort them', async (t) => {
  const { runner, idsMade } = setUp(t)
  for (let i = 0; i < MANY; i++) {
    const aborter = new AbortController()
    const call = runner.call('work', [], { signal: aborter.signal })
    aborter.abort()
    await rejects(call, { code: 'ABORTED' })
  }
  equal(idsMade(), 0)
})

test('no ID is made when statistics are read', async (t) => {
  const { runner, executor, idsMade } = setUp(t)
  for (let i = 0; i < MANY; i++) void runner.call('work', [])
  executor.sendAndBegin()
  equal(runner.stats().calls.running, 1)
  equal(idsMade(), 0)
})

test('a call whose wait is over has one ID, however often it is told', async (t) => {
  const { runner, executor, clock, idsMade } = setUp(t)
  const answer = runner.start('work', [], { timeout: 50 })
  const call = executor.sendAndBegin()
  equal(idsMade(), 0)
  await clock.advance(50)
  const { id } = await answer
  equal(idsMade(), 1)
  await runner.list()
  executor.return(call)
  equal((await runner.wait(id as string)).id, id)
  equal(idsMade(), 1)
})
