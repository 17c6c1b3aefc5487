import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, suite, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FakeShell } from '../helpers/fake-shell.ts'
import { Signposts } from '../helpers/latch.ts'
import { CALLS } from '../suites/place.ts'

const MODULE = fileURLToPath(CALLS)

let posts: Signposts

before(() => {
  posts = new Signposts()
})

after(() => posts.remove())

interface ServingNode {
  shell: FakeShell
  ended: ReturnType<FakeShell['run']>
  url: string
  /** Starts a call, and gives where it is. */
  start(fn: string, ...args: unknown[]): Promise<string>
}

/** It is closed when the test ends, and its calls are aborted. */
async function serving(t: TestContext, ...options: string[]): Promise<ServingNode> {
  const shell = new FakeShell()
  const ended = shell.run('serve', MODULE, '--port', '0', ...options)
  t.after(async () => {
    shell.signal('SIGTERM')
    shell.signal('SIGTERM')
    await ended
  })
  await shell.stdout.shows('the node is listening')
  const url = logged(shell, 'the node is listening')?.url ?? ''
  const start = async (fn: string, ...args: unknown[]): Promise<string> => {
    const response = await post(`${url}/v1/calls`, { fn, args, timeout: 0 })
    return url + response.headers.get('location')
  }
  return { shell, ended, url, start }
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

interface LogLine {
  msg: string
  url?: string
  functions?: string[]
  signal?: string
}

/** The log line with that message. Every line is a JSON document. */
function logged({ stdout }: FakeShell, message: string): LogLine | undefined {
  const lines = stdout.text.trim().split('\n')
  return lines.map((line) => JSON.parse(line) as LogLine).find(({ msg }) => msg.includes(message))
}

suite('serve', () => {
  test('lets all functions of the module be called', async (t) => {
    const { shell, ended, url } = await serving(t)
    const response = await post(`${url}/v1/calls`, { fn: 'add', args: [1, 2] })
    equal(((await response.json()) as { value: unknown }).value, 3)
    const { functions = [] } = logged(shell, 'the node is listening') ?? {}
    ok(functions.includes('add') && !functions.includes('default') && !functions.includes('settings'))
    shell.signal('SIGTERM')
    const { ending, stderr } = await ended
    deepEqual([ending, stderr, shell.isListening], [0, '', false])
    ok(logged(shell, 'the node is closed'))
  })

  test('lets only those be called that are listed', async (t) => {
    const { shell, ended, url } = await serving(t, '--functions', 'echo, add')
    equal((await post(`${url}/v1/calls`, { fn: 'spin', args: [] })).status, 404)
    equal((await post(`${url}/v1/calls`, { fn: 'echo', args: [1] })).status, 200)
    shell.signal('SIGINT')
    equal((await ended).ending, 0)
  })

  test('takes no more calls after a signal, and ends when those under way have ended', async (t) => {
    const { shell, ended, url, start } = await serving(t, '--functions', 'hold')
    const latch = posts.latch()
    const waiting = fetch(`${await start('hold', latch.path, 'held')}?timeout=20000`)
    shell.signal('SIGTERM')
    equal((await post(`${url}/v1/calls`, { fn: 'hold', args: [latch.path] })).status, 503)
    latch.open()
    deepEqual(((await (await waiting).json()) as { value: unknown }).value, 'held')
    equal((await ended).ending, 0)
    equal(logged(shell, 'the node is closing')?.signal, 'SIGTERM')
  })

  test('aborts the calls under way at a second signal, and ends', async (t) => {
    const { shell, ended, start } = await serving(t, '--functions', 'throwWhenAborted')
    const waiting = fetch(`${await start('throwWhenAborted')}?timeout=20000`)
    shell.signal('SIGINT')
    shell.signal('SIGINT')
    const { error } = (await (await waiting).json()) as { error: { code: string } }
    equal(error.code, 'ABORTED')
    equal((await ended).ending, 0)
    equal(logged(shell, 'are aborted')?.signal, 'SIGINT')
  })

  test('ends by a signal that comes before it listens', async () => {
    const shell = new FakeShell()
    const module = posts.path('.mjs')
    writeFileSync(module, 'await new Promise((resolve) => setTimeout(resolve, 600_000))\nexport function f() {}')
    const ended = shell.run('serve', module, '--port', '0')
    await shell.listens()
    shell.signal('SIGTERM')
    equal((await ended).ending, 'SIGTERM')
  })
})

suite('serve does not begin', () => {
  test('with a module that cannot be imported', async () => {
    const module = posts.path('.mjs')
    writeFileSync(module, 'throw new Error("no database")')
    const { ending, stderr } = await new FakeShell().run('serve', module, '--port', '0')
    equal(ending, 1)
    match(stderr, /^coatcheck: SPAWN_FAILED: .*\n[^]*no database/)
  })

  test('on a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as AddressInfo
    const { ending, stderr } = await new FakeShell().run('serve', MODULE, '--port', String(port), '--functions', 'add')
    taken.close()
    equal(ending, 1)
    match(stderr, /^coatcheck: listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+\n$/)
  })
})
