import { equal, match } from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { until } from '../../helpers/latch.ts'
import { sharedNode } from './served.ts'

const CONNECT = 'CONNECT example.org:80 HTTP/1.1\r\nhost: example.org\r\n\r\n'
const NONSENSE = 'nonsense\r\n\r\n'

const node = sharedNode()

/** A connection whose client does not end it when the node does. */
async function open(t: TestContext): Promise<Socket> {
  const socket = connect({ port: Number(new URL(node().served.url).port), host: '127.0.0.1', allowHalfOpen: true })
  t.after(() => socket.destroy())
  await once(
    socket.on('error', () => undefined),
    'connect',
  )
  return socket
}

/** How often something failed that nobody listened for, while a test goes on. */
function unheard(t: TestContext): () => number {
  let count = 0
  const onError = (): void => void (count += 1)
  process.on('uncaughtExceptionMonitor', onError)
  t.after(() => process.off('uncaughtExceptionMonitor', onError))
  return () => count
}

test('a client that resets its connection after what is no request does the node no harm', async (t) => {
  const errors = unheard(t)
  for (const bytes of [CONNECT, NONSENSE]) {
    for (let i = 0; i < 20; i++) {
      const socket = await open(t)
      socket.write(bytes)
      if (i % 2 === 0) await once(socket, 'data')
      socket.resetAndDestroy()
    }
  }
  equal((await node().send('/health')).status, 200)
  equal(errors(), 0)
})

test('a client that keeps its side open after what is no request is cut off', async (t) => {
  for (const bytes of [CONNECT, NONSENSE]) {
    const socket = await open(t)
    let isCut = false
    socket.once('close', () => (isCut = true))
    socket.write(bytes)
    const [answer] = await once(socket, 'data')
    match(String(answer), /^HTTP\/1\.1 400 /)
    await until('the end of the connection', () => {
      socket.write('more\r\n\r\n')
      return isCut
    })
  }
})
