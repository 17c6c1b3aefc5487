import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { CommandProcess } from '../../../src/executors/commands/command-process.ts'
import type { Job, JobEnd } from '../../../src/executors/executor.ts'
import { resolveCommand } from '../../../src/model/process-options.ts'
import { FakeChild } from '../../fixtures/processes/fake-child.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'

test('a command that is killed ends within a second, also when its process does not', async () => {
  const clock = new FakeClock()
  const child = new FakeChild(1_000, 3)
  const ends: JobEnd[] = []
  const job: Job = { fn: 'work', args: [], transfer: undefined, abortAfter: Infinity, place: undefined }
  const command = new CommandProcess<Job>({
    owner: {
      listener: { wantsStarted: false, sent() {}, started() {}, progress() {}, log() {}, ended() {} },
      jobEnded: (_job, end) => void ends.push(end),
    },
    clock,
    spawn: async () => child.remote,
    command: resolveCommand('commands.work', { command: ['work'] }, 1_000),
    job,
  })
  await clock.settle()
  command.kill()
  deepEqual(child.signals, ['SIGKILL'])
  await clock.advance(999)
  deepEqual(ends, [])
  await clock.advance(1)
  deepEqual(ends, [{ type: 'killed' }])
  // Its end is no news when it comes after all.
  child.exit(null, 'SIGKILL')
  await command.gone
  await clock.advance(100_000)
  equal(ends.length, 1)
})
