import { deepEqual, equal, match } from 'node:assert/strict'
import { after, before, suite, test, type TestContext } from 'node:test'
import { CallError, createRunner, type Runner } from '../../src/index.ts'
import { FakeTerminal } from '../helpers/fake-output.ts'
import { FakeShell, nodeOf } from '../helpers/fake-shell.ts'
import { CALLS } from '../suites/place.ts'

const URL = 'http://127.0.0.1:1811'

let runner: Runner

before(() => {
  runner = createRunner({ functions: CALLS, threads: { max: 4 } })
})

after(() => runner.close({ abort: true, grace: 0 }))

interface Program {
  shell: FakeShell
  stderr: FakeTerminal
  ended: ReturnType<FakeShell['run']>
}

/** A call that is waited for on a terminal, where it shows that it goes on. */
async function calling(t: TestContext, fn: string, ...options: string[]): Promise<Program> {
  const shell = new FakeShell(nodeOf(runner))
  const stderr = new FakeTerminal()
  shell.stderr = stderr
  const ended = shell.run('call', URL, fn, '[]', '--timeout', 'Infinity', ...options)
  t.after(() => endAtOnce(shell))
  await stderr.shows('running')
  return { shell, stderr, ended }
}

/** What is left of a test that has failed. */
function endAtOnce(shell: FakeShell): void {
  for (let i = 0; i < 3; i++) shell.signal('SIGINT')
}

function idIn(text: string): string {
  return /\d+:\d+:[\d.]+:[0-9a-f]{40}/.exec(text)?.[0] ?? 'no ID'
}

suite('Ctrl-C while a call is waited for', { concurrency: true }, () => {
  test('leaves the call running, and prints its ID and the command to come back', async (t) => {
    const { shell, ended } = await calling(t, 'throwWhenAborted')
    shell.signal('SIGINT')
    const { ending, stdout, stderr } = await ended
    deepEqual({ ending, stdout }, { ending: 'SIGINT', stdout: '' })
    const id = idIn(stderr)
    match(
      stderr,
      /not finished \(running\): .*\ncome back with: coatcheck wait .*\nCtrl-C again within 2 seconds cancels it\n$/,
    )
    equal((await runner.wait(id, { timeout: 0 })).finished, false)
    deepEqual([shell.connected, shell.isListening], [0, false])
  })

  test('twice cancels the call, and tells how it ended', async (t) => {
    const { shell, stderr, ended } = await calling(t, 'throwWhenAborted', '--json')
    shell.signal('SIGINT')
    await stderr.shows('Ctrl-C again')
    shell.signal('SIGINT')
    const { ending, stdout } = await ended
    equal(ending, 1)
    const { error } = JSON.parse(stdout) as { error: { code: string; step: string; cause: string } }
    deepEqual([error.code, error.step, error.cause], ['ABORTED', 'cooperative', 'cancelled by Ctrl-C'])
  })

  test('twice at once cancels the call as well', async (t) => {
    const { shell, ended } = await calling(t, 'throwWhenAborted')
    shell.signal('SIGINT')
    shell.signal('SIGINT')
    const { ending, stderr } = await ended
    equal(ending, 1)
    match(stderr, /\ncancelling the call\n[^]*coatcheck: ABORTED: /)
  })

  test('three times does not wait for a call that takes its time to end', async (t) => {
    const { shell, stderr, ended } = await calling(t, 'spin', '--grace', '60')
    shell.signal('SIGINT')
    await stderr.shows('Ctrl-C again')
    shell.signal('SIGINT')
    await stderr.shows('cancelling the call')
    shell.signal('SIGINT')
    equal((await ended).ending, 'SIGINT')
  })

  test('before the node has answered is acted upon when it has', async () => {
    let answer: (status: { finished: false; id: `1:2:3:${string}`; state: 'queued' }) => void = () => undefined
    const cancelled: string[] = []
    const shell = new FakeShell({
      start: () => new Promise((resolve) => (answer = resolve)),
      cancel: async (id) => {
        cancelled.push(id)
        return { finished: true, ok: true, value: 'done all the same' }
      },
    })
    const ended = shell.run('call', URL, 'f')
    await shell.listens()
    shell.signal('SIGINT')
    shell.signal('SIGINT')
    answer({ finished: false, id: '1:2:3:4', state: 'queued' })
    const { ending, stdout } = await ended
    deepEqual({ ending, stdout, cancelled }, { ending: 0, stdout: 'done all the same\n', cancelled: ['1:2:3:4'] })
  })

  test('three times does not wait for a node that never answers', async () => {
    const shell = new FakeShell({ start: () => new Promise(() => undefined) })
    const ended = shell.run('call', URL, 'f')
    await shell.listens()
    endAtOnce(shell)
    const { ending, stderr } = await ended
    deepEqual([ending, stderr], ['SIGINT', 'the node has not answered: whether it has the call is not known\n'])
  })
})

test('SIGTERM while a call is waited for leaves it running, and prints its ID, without a second chance', async (t) => {
  const { shell, ended } = await calling(t, 'throwWhenAborted', '--json')
  shell.signal('SIGTERM')
  const { ending, stdout, stderr } = await ended
  equal(ending, 'SIGTERM')
  equal((JSON.parse(stdout) as { id: string }).id, idIn(stderr))
  equal(stderr.includes('Ctrl-C'), false)
})

test('a connection that breaks while a call is waited for tells how to come back', async () => {
  const shell = new FakeShell({
    start: async () => ({ finished: false, id: '1:2:3:4', state: 'running' }),
    wait: async () => {
      throw new CallError('NODE_UNREACHABLE', 'it does not answer', { id: '1:2:3:4' })
    },
  })
  const { ending, stderr } = await shell.run('call', URL, 'f')
  equal(ending, 5)
  match(
    stderr,
    /^not finished \(running\): 1:2:3:4\ncome back with: .*\ncoatcheck: NODE_UNREACHABLE: it does not answer\n$/,
  )
})
