import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { JobListener } from '../../src/executors/executor.ts'
import { CallIds } from '../../src/model/call-id.ts'
import type { CallEvent, RunnerEvents } from '../../src/model/events.ts'
import type { AnyFunctions } from '../../src/model/functions.ts'
import { resolveOptions } from '../../src/model/options.ts'
import { CallEvents } from '../../src/runner/call-events.ts'
import { LocalRunner } from '../../src/runner/local-runner.ts'
import type { Call } from '../../src/table/call.ts'
import { FakeClock } from '../helpers/fake-clock.ts'
import { FakeExecutor, newCall } from '../helpers/fake-executor.ts'

type CallEventName = 'queued' | 'started' | 'progress' | 'finished' | 'expired'

const CALL_EVENTS: readonly CallEventName[] = ['queued', 'started', 'progress', 'finished', 'expired']

/** Events of a call that counts how often it is looked at: an event that is made tells at least its function's name. */
function setUp(): {
  events: CallEvents
  looks: () => number
  idsMade: () => number
  emit: (name: CallEventName) => void
} {
  const call = newCall()
  let looks = 0
  Object.defineProperty(call, 'fn', {
    get() {
      looks += 1
      return 'work'
    },
  })
  const ids = new CallIds()
  let idsMade = 0
  const events = new CallEvents(() => {
    idsMade += 1
    return ids.create(0)
  })
  const emit = (name: CallEventName): void => {
    if (name === 'finished') events.finished(call, { ok: true, value: 1 })
    else events[name](call)
  }
  return { events, looks: () => looks, idsMade: () => idsMade, emit }
}

for (const name of CALL_EVENTS) {
  test(`without a listener for "${name}" no event is made, and no ID`, () => {
    const { events, looks, idsMade, emit } = setUp()
    for (const other of CALL_EVENTS) if (other !== name) events.on(other, () => undefined)
    emit(name)
    deepEqual([looks(), idsMade()], [0, 0])
  })

  test(`an ID is made only when a listener for "${name}" asks for it`, () => {
    const { events, looks, idsMade, emit } = setUp()
    const heard: CallEvent[] = []
    events.on(name, (event: CallEvent) => heard.push(event))
    emit(name)
    deepEqual([heard[0]?.fn, looks(), idsMade()], ['work', 1, 0])
    equal(typeof heard[0]?.id, 'string')
    equal(idsMade(), 1)
  })

  test(`when the last listener for "${name}" is taken off, no event is made any more`, () => {
    const { events, looks, emit } = setUp()
    const listener = (): void => undefined
    events.on(name, listener)
    events.once(name, listener)
    events.off(name, listener)
    emit(name)
    events.once(name, listener)
    emit(name)
    emit(name)
    equal(looks(), 1)
  })
}

test('an executor is asked to tell of beginnings only while somebody listens for "started"', async () => {
  let executor: FakeExecutor | undefined
  let listener: JobListener<Call> | undefined
  const runner = new LocalRunner<AnyFunctions>({
    options: resolveOptions({ functions: new URL(import.meta.url) }),
    clock: new FakeClock(),
    createExecutor: (_, ports) => {
      listener = ports.listener
      return (executor = new FakeExecutor(ports))
    },
  })
  const wanted: (boolean | undefined)[] = []
  const look = (): void => void wanted.push(listener?.wantsStarted)
  const hear = (): void => undefined

  look()
  for (const name of ['queued', 'progress', 'finished', 'expired', 'drain', 'idle'] satisfies (keyof RunnerEvents)[]) {
    runner.on(name, hear)
  }
  look()
  deepEqual(wanted, [false, false])

  runner.on('started', hear)
  look()
  runner.off('started', hear)
  look()
  deepEqual(wanted.slice(2), [true, false])

  runner.once('started', hear)
  look()
  void runner.call('work', [])
  executor?.sendAndBegin()
  look()
  deepEqual(wanted.slice(4), [true, false])
})
