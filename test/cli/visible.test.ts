import { deepEqual, equal, match } from 'node:assert/strict'
import { suite, test } from 'node:test'
import { visible } from '../../src/cli/visible.ts'
import { CallError, type CallId } from '../../src/index.ts'
import { FakeShell } from '../helpers/fake-shell.ts'

const URL = 'http://127.0.0.1:1811'
/** Clears a terminal. */
const CLEAR = '\x1b[2J'

test('control characters are shown by their codes, line breaks and tabs stay', () => {
  equal(visible('a\tb\r\nc\n'), 'a\tb\nc\n')
  equal(visible(`${CLEAR}\x9b\x7f\r\0`), '\\x1b[2J\\x9b\\x7f\\x0d\\x00')
})

suite('what a node says reaches no terminal as a command to it', () => {
  const isClean = (text: string): void => deepEqual(text.match(/[^\P{Cc}\n]/gu), null)

  test('an error, what it came of and what its process wrote', async () => {
    const cause = Object.assign(new Error(CLEAR), { own: CLEAR })
    cause.stack = `Error: ${CLEAR}\n    at ${CLEAR}`
    const error = new CallError('FUNCTION_THREW', `${CLEAR}\nmessage`, { cause, stderr: `${CLEAR}\nlast words` })
    const shell = new FakeShell({ start: async () => ({ finished: true, ok: false, error }) })
    const { ending, stderr } = await shell.run('call', URL, 'add')
    equal(ending, 1)
    isClean(stderr)
    match(stderr, /^coatcheck: FUNCTION_THREW: .* message\n[^]*\nlast words\n/)

    const refusing = new FakeShell({ list: () => Promise.reject(error) })
    isClean((await refusing.run('ls', URL)).stderr)
    const ended = new FakeShell({ cancel: async () => ({ finished: true, ok: false, error }) })
    isClean((await ended.run('cancel', URL, '1')).stdout)
  })

  test('an ID, a row of a list and where a page ends', async () => {
    const id = `1${CLEAR}` as CallId
    const unfinished = new FakeShell({ start: async () => ({ finished: false, id, state: 'running' }) })
    const { ending, stderr } = await unfinished.run('call', URL, 'add', '[]', '--timeout', '0')
    equal(ending, 3)
    isClean(stderr)
    const row = { id, fn: CLEAR, priority: 0, admittedAt: 0, state: 'queued' } as const
    const listing = new FakeShell({ list: async () => ({ calls: [row], cursor: CLEAR }) })
    const listed = await listing.run('ls', URL)
    isClean(listed.stdout)
    isClean(listed.stderr)
  })
})
