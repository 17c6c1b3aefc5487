import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import type { RemoteChild } from '../../../src/executors/children/remote-child.ts'
import { CommandProcess } from '../../../src/executors/commands/command-process.ts'
import type { Job, JobEnd } from '../../../src/executors/executor.ts'
import { resolveCommand } from '../../../src/model/process-options.ts'
import { FakeChild } from '../../fixtures/processes/fake-child.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'

interface Started {
  command: CommandProcess<Job>
  clock: FakeClock
  child: FakeChild
  /** What the runner was told. */
  told: (JobEnd | 'started')[]
  /** The system has started the process. */
  spawn(): void
}

function startCommand(): Started {
  const clock = new FakeClock()
  const child = new FakeChild(1_000, 3)
  const spawned = Promise.withResolvers<RemoteChild>()
  const told: Started['told'] = []
  const started = (): void => void told.push('started')
  const command = new CommandProcess<Job>({
    owner: {
      listener: { wantsStarted: true, sent() {}, started, progress() {}, log() {}, ended() {} },
      jobEnded: (_job, end) => void told.push(end),
    },
    clock,
    spawn: () => spawned.promise,
    startTimeout: 30_000,
    command: resolveCommand('commands.work', { command: ['work'] }, 1_000),
    job: { fn: 'work', args: [], transfer: undefined, abortAfter: Infinity, place: undefined },
  })
  return { command, clock, child, told, spawn: () => spawned.resolve(child.remote) }
}

test('a command that is killed ends within a second, also when its process does not', async () => {
  const { command, clock, child, told, spawn } = startCommand()
  spawn()
  await clock.settle()
  command.kill()
  deepEqual(child.signals, ['SIGKILL'])
  await clock.advance(999)
  deepEqual(told, ['started'])
  await clock.advance(1)
  deepEqual(told, ['started', { type: 'killed' }])
  // Its end is no news when it comes after all.
  child.exit(null, 'SIGKILL')
  await command.gone
  await clock.advance(100_000)
  equal(told.length, 2)
})

test('a command that was given up before its process was there has not begun when that comes', async () => {
  const { command, clock, child, told, spawn } = startCommand()
  command.kill()
  await clock.advance(1_000)
  deepEqual(told, [{ type: 'killed' }])
  spawn()
  await clock.settle()
  deepEqual(child.signals, ['SIGKILL'])
  child.exit(null, 'SIGKILL')
  await command.gone
  deepEqual(told, [{ type: 'killed' }])
})

test('a command that ends without a word when it is asked to was aborted, and broke no rule', async () => {
  const { command, clock, child, told, spawn } = startCommand()
  spawn()
  await clock.settle()
  command.interrupt()
  deepEqual(child.signals, ['SIGTERM'])
  child.exit(0, null)
  await command.gone
  const [, end] = told
  ok(typeof end === 'object' && end.type === 'failed')
  deepEqual([end.error.code, end.byItself], ['WORKER_CRASHED', true])
})

test('a command that had ended before it could be killed gives its value', async () => {
  const { command, clock, child, told, spawn } = startCommand()
  spawn()
  await clock.settle()
  child.print(1, '42')
  command.kill()
  child.exit(0, null)
  await command.gone
  deepEqual(told, ['started', { type: 'returned', value: 42 }])
})
