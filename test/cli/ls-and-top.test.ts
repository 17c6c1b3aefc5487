import { deepEqual, equal, match } from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { callLines } from '../../src/cli/call-rows.ts'
import { LiveScreen } from '../../src/cli/live-screen.ts'
import { CallError, createRunner, type CallInfo, type Runner } from '../../src/index.ts'
import { FakeTerminal } from '../helpers/fake-output.ts'
import { FakeShell, nodeOf } from '../helpers/fake-shell.ts'
import { Signposts, type Latch } from '../helpers/latch.ts'
import { CALLS } from '../suites/place.ts'

const URL = 'http://127.0.0.1:1811'

let runner: Runner
let posts: Signposts
let latch: Latch

// One call that has ended, one that runs and has reported, one that waits for its thread.
before(async () => {
  runner = createRunner({ functions: CALLS, threads: { max: 1 } })
  posts = new Signposts()
  latch = posts.latch()
  await runner.start('add', [1, 2], { retain: 60_000 })
  const reported = new Promise((resolve) => runner.once('progress', resolve))
  await runner.start('report', [[{ done: 1, total: 4 }], latch.path], { timeout: 0 })
  await reported
  await runner.start('echo', ['later'], { timeout: 0 })
})

after(async () => {
  latch.open()
  await runner.close({ abort: true, grace: 0 })
  posts.remove()
})

suite('ls', () => {
  test('prints a table of the calls that are under way or kept', async () => {
    const { ending, stdout, stderr } = await new FakeShell(nodeOf(runner)).run('ls', URL)
    deepEqual({ ending, stderr }, { ending: 0, stderr: '' })
    const [headings, added, reporting, waiting, end] = stdout.split('\n')
    match(headings ?? '', /^ID +FUNCTION {2}STATE {6}WAITED {2}RAN +PROGRESS$/)
    match(added ?? '', /^\d+:\S+ {2,}add {7}succeeded {2}[\d.]+ s {3}[\d.]+ s$/)
    match(reporting ?? '', /^\d+:\S+ {2,}report {4}running {4}[\d.]+ s {3}[\d.]+ s {2}25% {2}1 of 4$/)
    match(waiting ?? '', /^\d+:\S+ {2,}echo {6}queued {5}[\d.]+ s$/)
    equal(end, '')
  })

  test('picks calls, and tells where the next page begins', async () => {
    const first = await new FakeShell(nodeOf(runner)).run('ls', URL, '--limit', '1')
    match(first.stdout, / add /)
    match(first.stderr, /^there are more: --cursor \S+\n$/)
    const cursor = first.stderr.split(' ').at(-1)?.trim() ?? ''
    const second = await new FakeShell(nodeOf(runner)).run('ls', URL, '--limit', '1', '--cursor', cursor)
    match(second.stdout, / report /)
    const queued = await new FakeShell(nodeOf(runner)).run('ls', URL, '--state', 'queued', '--fn', 'echo')
    equal(queued.stdout.split('\n').length, 3)
  })

  test('--json prints the page as the JavaScript interface gives it', async () => {
    const page = await runner.list({ limit: 2 })
    const { stdout, stderr } = await new FakeShell({ list: async () => page }).run('ls', URL, '--json')
    deepEqual(JSON.parse(stdout), page)
    deepEqual([typeof page.cursor, stderr], ['string', ''])
  })
})

test('a row of a call that never ran, and one whose progress is no share', () => {
  const call = { id: '1:2:3:4', fn: 'f', priority: 0, admittedAt: 0 } as const
  const rows = callLines(
    [
      { ...call, state: 'finished', ok: false, finishedAt: 90_000 },
      { ...call, state: 'running', startedAt: 600_000, progress: { file: 'a.txt' } },
    ],
    600_000 + 7_200_000,
  )
  deepEqual(rows, [
    'ID       FUNCTION  STATE    WAITED  RAN    PROGRESS',
    '1:2:3:4  f         failed   90 s    0.0 s',
    '1:2:3:4  f         running  10 min  2 h    { "file": "a.txt" }',
  ])
})

test('a cursor that is none is a wrong command line', async () => {
  const { ending, stderr } = await new FakeShell(nodeOf(runner)).run('ls', URL, '--cursor', 'x')
  equal(ending, 2)
  match(stderr, /^coatcheck: .*cursor.*\n$/)
})

suite('top', () => {
  test('looks once where there is no terminal', async () => {
    const { ending, stdout } = await new FakeShell(nodeOf(runner)).run('top', URL)
    equal(ending, 0)
    match(stdout, /^calls +1 queued +1 running +1 kept +0 waits\n/)
    match(stdout, /\nran +p50 .*p99 .*max .*\n\nID .*\n\S+ +report .*\n\S+ +echo .*\n$/)
  })

  test('--json prints the stats, and the calls that have not ended', async () => {
    const { stdout } = await new FakeShell(nodeOf(runner)).run('top', URL, '--json')
    const { stats, calls } = JSON.parse(stdout) as { stats: object; calls: CallInfo[] }
    deepEqual(Object.keys(stats), Object.keys(runner.stats()))
    deepEqual(
      calls.map(({ fn, state }) => [fn, state]),
      [
        ['report', 'running'],
        ['echo', 'queued'],
      ],
    )
  })

  test('in a terminal looks again and again until Ctrl-C, and then leaves it as it was', async (t) => {
    const terminal = new FakeTerminal()
    const shell = new FakeShell(nodeOf(runner))
    shell.stdout = terminal
    const ended = shell.run('top', URL, '--interval', '0.01')
    t.after(() => shell.signal('SIGINT'))
    await terminal.shows('\x1b[?1049h')
    await terminal.shows('1 running')
    await runner.start('echo', ['also later'], { timeout: 0 })
    await terminal.shows('2 queued')
    shell.signal('SIGINT')
    equal((await ended).ending, 0)
    equal(terminal.text.endsWith('\x1b[?25h\x1b[?1049l'), true)
    deepEqual([shell.connected, shell.isListening], [0, false])
  })

  test('goes on when the node does not answer for a while', async (t) => {
    const terminal = new FakeTerminal()
    const node = nodeOf(runner)
    let looks = 0
    const stats = async () => {
      looks += 1
      if (looks === 2) throw new CallError('NODE_UNREACHABLE', 'it does not answer')
      return runner.stats()
    }
    const shell = new FakeShell({ ...node, stats })
    shell.stdout = terminal
    const ended = shell.run('top', URL, '--interval', '0.01')
    t.after(() => shell.signal('SIGINT'))
    await terminal.shows('it does not answer')
    terminal.text = ''
    await terminal.shows('1 running')
    shell.signal('SIGINT')
    equal((await ended).ending, 0)
  })

  test('ends by Ctrl-C also while the node does not answer', async (t) => {
    const terminal = new FakeTerminal()
    const node = nodeOf(runner)
    let looks = 0
    let hangs: () => void = () => undefined
    const hanging = new Promise<void>((resolve) => (hangs = resolve))
    const stats = async () => {
      looks += 1
      if (looks === 1) return runner.stats()
      hangs()
      return new Promise<never>(() => undefined)
    }
    const shell = new FakeShell({ ...node, stats })
    shell.stdout = terminal
    const ended = shell.run('top', URL, '--interval', '0.01')
    t.after(() => shell.signal('SIGINT'))
    await hanging
    shell.signal('SIGTERM')
    equal((await ended).ending, 'SIGTERM')
  })

  test('cuts off what the screen has no room for', () => {
    const terminal = new FakeTerminal()
    terminal.columns = 5
    terminal.rows = 2
    new LiveScreen(terminal).draw(['0123456789', 'b', 'c'])
    equal(terminal.text.split('<0,0>')[1], '01234\x1b[K\nb\x1b[K')
  })
})
