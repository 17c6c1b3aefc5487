import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectTo } from '../../src/cli/connect.ts'
import type { NodeAddress, RemoteNode } from '../../src/cli/shell.ts'
import { serve } from '../../src/http.ts'
import { createRunner } from '../../src/index.ts'
import { createAuthority } from '../helpers/certificates.ts'
import { FakeShell } from '../helpers/fake-shell.ts'
import { Signposts } from '../helpers/latch.ts'
import { fakeNode, sendProblem } from '../adapters/client/fake-node.ts'
import { CALLS } from '../suites/place.ts'

let posts: Signposts

before(() => {
  posts = new Signposts()
})

after(() => posts.remove())

/** A shell that connects over real sockets. */
class ConnectingShell extends FakeShell {
  readonly #env: NodeJS.ProcessEnv

  constructor(env: NodeJS.ProcessEnv = {}) {
    super()
    this.#env = env
  }

  override connect(address: NodeAddress): Promise<RemoteNode> {
    return connectTo(address, this.#env)
  }
}

/** Writes a PEM file, and gives its path. */
function pem(text: string): string {
  const path = posts.path('.pem')
  writeFileSync(path, text)
  return path
}

suite('the connection to a node', () => {
  test('is made with the certificates that are given, and below the path of the URL', async (t) => {
    const authority = await createAuthority('an authority')
    const [own, client] = await Promise.all([authority.certify('node'), authority.certify('client')])
    const ca = ['--tls-ca', pem(authority.ca)]
    const nodeFiles = ['--tls-cert', pem(own.cert), '--tls-key', pem(own.key), ...ca]
    const clientFiles = ['--tls-cert', pem(client.cert), '--tls-key', pem(client.key), ...ca]
    const shell = new FakeShell()
    const options = ['--port', '0', '--functions', 'add', '--prefix', '/jobs', ...nodeFiles]
    const ended = shell.run('serve', fileURLToPath(CALLS), ...options)
    t.after(() => {
      shell.signal('SIGTERM')
      return ended
    })
    await shell.stdout.shows('the node is listening')
    const [url = ''] = /https:\/\/127\.0\.0\.1:\d+\/jobs/.exec(shell.stdout.text) ?? []

    const called = await new ConnectingShell().run('call', url, 'add', '[1, 2]', ...clientFiles)
    deepEqual(called, { ending: 0, stdout: '3\n', stderr: '' })
  })

  test('tells at once that nobody listens there, and that nothing was started', async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const began = performance.now()
    const url = `http://127.0.0.1:${port}`
    const { ending, stdout } = await new ConnectingShell().run('call', url, 'add', '[1, 2]', '--json')
    equal(ending, 5)
    const { error } = JSON.parse(stdout) as { error: { code: string; started: string; message: string } }
    deepEqual([error.code, error.started], ['NODE_UNREACHABLE', 'no'])
    match(error.message, /ECONNREFUSED/)
    // A client that is not the program's tries again for 5 seconds.
    const took = performance.now() - began
    ok(took < 3_500, `${took} ms`)
    t.diagnostic(`${took} ms`)
  })

  test('leaves no call at the node whose value was printed', async (t) => {
    const runner = createRunner({ functions: CALLS })
    const node = await serve(runner, { port: 0, functions: ['add'] })
    t.after(() => node.close())
    // A call that takes longer is one whose ID the program was told.
    await runner.ready()
    equal((await new ConnectingShell().run('call', node.url, 'add', '[1, 2]')).stdout, '3\n')
    deepEqual(runner.stats().calls, { queued: 0, running: 0, finished: 0 })
  })

  test('with a user name or a password in the URL is wrong usage, and the password is not shown', async () => {
    const { ending, stdout, stderr } = await new ConnectingShell().run('ls', 'http://me:secret@127.0.0.1:1')
    deepEqual([ending, stdout], [2, ''])
    match(stderr, /^coatcheck: URL must have no user name or password in it: .*COATCHECK_AUTHORIZATION\n$/)
    equal(stderr.includes('secret'), false)
  })

  test('that a client refuses to make is wrong usage', async () => {
    const { ending, stdout, stderr } = await new ConnectingShell().run('ls', 'http://127.0.0.1:1/?a=b')
    deepEqual([ending, stdout], [2, ''])
    match(stderr, /^coatcheck: url must end with its path, got .*\n$/)
  })

  test('says who asks by COATCHECK_AUTHORIZATION', async (t) => {
    const runner = createRunner({ functions: CALLS })
    const node = await serve(runner, {
      port: 0,
      functions: ['add'],
      authorize: ({ headers }) => (headers.authorization === 'Bearer of the key' ? 'somebody' : false),
    })
    t.after(() => node.close())
    const allowed = new ConnectingShell({ COATCHECK_AUTHORIZATION: 'Bearer of the key' })
    equal((await allowed.run('call', node.url, 'add', '[1, 2]')).stdout, '3\n')
    const { ending, stderr } = await new ConnectingShell().run('call', node.url, 'add', '[1, 2]')
    equal(ending, 4)
    match(stderr, /^coatcheck: .*does not let this caller do that\n$/)
  })

  test('tells of a URL where something else answers, and of a node that fails, and ends with 1', async (t) => {
    const page = createHttpServer((_request, response) => response.writeHead(404).end('<html>')).listen(0, '127.0.0.1')
    t.after(() => page.close())
    await once(page, 'listening')
    const nowhere = await new ConnectingShell().run('ls', `http://127.0.0.1:${(page.address() as AddressInfo).port}`)
    equal(nowhere.ending, 1)
    match(nowhere.stderr, /^coatcheck: PROTOCOL_ERROR: .* is no coatcheck node: HTTP 404 .*\n$/)

    const { url } = await fakeNode(t, (asked) => sendProblem(asked, 'internal'))
    const failed = await new ConnectingShell().run('ls', url)
    equal(failed.ending, 1)
    match(failed.stderr, /^coatcheck: .*the fake node says internal\n$/)
  })
})
