import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, suite, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve, type Served } from '../../src/http.ts'
import { createRunner, type CallId, type Runner, type RunnerStats } from '../../src/index.ts'
import { startScript, type Child } from '../helpers/child.ts'
import { cacheCompiled } from '../helpers/compile-cache.ts'
import { Signposts, until } from '../helpers/latch.ts'
import { noTerminals, startOnTerminal, type OnTerminal } from '../helpers/pseudo-terminal.ts'
import { CALLS } from '../suites/place.ts'

// The program itself, as a process of its own, and a node that it speaks to over real sockets.

const CLI = new URL('../../src/cli.ts', import.meta.url)
const CTRL_C = '\x03'

let runner: Runner
let node: Served
let posts: Signposts

before(async () => {
  cacheCompiled()
  posts = new Signposts()
  runner = createRunner({ functions: CALLS, threads: { max: 4 } })
  node = await serve(runner, { port: 0, functions: ['add', 'report', 'throwWhenAborted'] })
})

after(async () => {
  await node.close({ abort: true, grace: 0 })
  posts.remove()
})

function start(t: TestContext, ...written: string[]): Child {
  return startScript(t, CLI, written)
}

function startTerminal(t: TestContext, ...written: string[]): OnTerminal {
  return startOnTerminal(t, [process.execPath, fileURLToPath(CLI), ...written])
}

/** Starts a call as any client of HTTP would. */
function post(url: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(`${url}/v1/calls`, { method: 'POST', headers, body: JSON.stringify(body) })
}

function idIn(text: string): CallId {
  return /\d+:\d+:[\d.]+:[0-9a-f]{40}/.exec(text)?.[0] as CallId
}

/** Resolves with the ID of the one call of this function that is running. */
function running(fn: string): Promise<CallId> {
  return until(`a call of ${fn}`, async () => (await runner.list({ fn, state: 'running' })).calls[0]?.id)
}

suite('the program', { concurrency: 2 }, () => {
  test('prints a value, and ends by itself', async (t) => {
    const { status, stdout, stderr } = await start(t, 'call', node.url, 'add', '[1, 2]').ended
    deepEqual({ status, stdout, stderr }, { status: 0, stdout: '3\n', stderr: '' })
  })

  test('prints what a node is doing', async (t) => {
    const { status, stdout } = await start(t, 'top', node.url).ended
    equal(status, 0)
    match(stdout, /^calls +\d+ queued +\d+ running +\d+ kept/)
    match(stdout, /\nthreads +[1-9]\d* there/)
  })

  test('tells of a node that is not there in one line', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    taken.close()
    await once(taken, 'close')
    const { status, stderr } = await start(t, 'ls', `http://127.0.0.1:${port}`).ended
    equal(status, 5)
    match(stderr, /^coatcheck: NODE_UNREACHABLE: .*\n$/)
  })

  test('on SIGTERM leaves its call running, prints the ID, and ends by the signal', async (t) => {
    const child = start(t, 'call', node.url, 'report', JSON.stringify([[], posts.path()]))
    const id = await running('report')
    child.signal('SIGTERM')
    const { signal, stderr } = await child.ended
    equal(signal, 'SIGTERM')
    equal(idIn(stderr), id)
    equal((await runner.wait(id, { timeout: 0 })).finished, false)
    await runner.cancel(id, { grace: 0 })
  })
})

suite('the program on a terminal', { skip: noTerminals, concurrency: 2 }, () => {
  test('shows a progress bar, takes it away, and prints the value', async (t) => {
    const latch = posts.latch()
    const args = JSON.stringify([[{ done: 1, total: 4 }], latch.path])
    const terminal = startTerminal(t, 'call', node.url, 'report', args)
    await terminal.shows('25%  [')
    match(terminal.screen, /\r? {4}25% {2}\[#+\.+\] {2}1 of 4/)
    latch.open()
    equal(await terminal.ended, 0)
    ok(terminal.screen.endsWith('\x1b[1G\x1b[0Kreported\r\n'), JSON.stringify(terminal.screen.slice(-200)))
  })

  test('at Ctrl-C twice cancels its call', async (t) => {
    const terminal = startTerminal(t, 'call', node.url, 'throwWhenAborted')
    await terminal.shows('running')
    terminal.type(CTRL_C)
    await terminal.shows('Ctrl-C again')
    const id = idIn(terminal.screen)
    terminal.type(CTRL_C)
    equal(await terminal.ended, 1)
    match(terminal.screen, /cancelling the call\r\n[^]*ABORTED/)
    const status = await runner.wait(id)
    equal(status.finished && !status.ok && status.error.code, 'ABORTED')
  })

  test('shows top on a second screen until Ctrl-C', async (t) => {
    const terminal = startTerminal(t, 'top', node.url, '--interval', '0.1')
    await terminal.shows('FUNCTION')
    terminal.type(CTRL_C)
    equal(await terminal.ended, 0)
    ok(terminal.screen.startsWith('\x1b[?1049h'), JSON.stringify(terminal.screen.slice(0, 100)))
    ok(terminal.screen.endsWith('\x1b[?1049l'), JSON.stringify(terminal.screen.slice(-100)))
  })
})

suite('the program as a node', { concurrency: 2 }, () => {
  async function serving(t: TestContext, ...options: string[]): Promise<{ child: Child; url: string }> {
    const child = start(t, 'serve', fileURLToPath(CALLS), '--port', '0', ...options)
    return { child, url: await child.printedMatch(/"url":"(http:\/\/[^"]+)"/) }
  }

  test('ends with status 0 after SIGTERM', async (t) => {
    const { child } = await serving(t, '--functions', 'add')
    child.signal('SIGTERM')
    const { status, stderr } = await child.ended
    deepEqual([status, stderr], [0, ''])
  })

  test('ends at once at a third signal', async (t) => {
    const { child, url } = await serving(t, '--functions', 'spin', '--grace', '60')
    await post(url, { fn: 'spin', args: [], timeout: 0 })
    child.signal('SIGINT')
    await child.printed('the node is closing')
    child.signal('SIGINT')
    await child.printed('are aborted')
    child.signal('SIGINT')
    equal((await child.ended).signal, 'SIGINT')
  })

  test('ends in order when nobody reads its log any more', async (t) => {
    const options = ['serve', fileURLToPath(CALLS), '--port', '0', '--functions', 'hold,fail']
    const child = spawn(process.execPath, [fileURLToPath(CLI), ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const [url = ''] = /http:\/\/[\d.:]+/.exec(String(line)) ?? []
    const latch = posts.latch()
    const waiting = post(url, { fn: 'hold', args: [latch.path, 'held'] })
    await until('a call that runs', async () => {
      const stats = (await (await fetch(`${url}/v1/stats`)).json()) as RunnerStats
      return stats.calls.running === 1
    })
    child.stdout.destroy()
    // Each failure is a line.
    await post(url, { fn: 'fail', args: ['builtIn'] })
    await until('that it closes', async () => (await post(url, { fn: 'fail', args: ['builtIn'] })).status === 503)
    latch.open()
    equal(((await (await waiting).json()) as { value: unknown }).value, 'held')
    const [status] = await once(child, 'exit')
    equal(status, 0)
  })
})
