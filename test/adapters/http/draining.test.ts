import { deepEqual, doesNotMatch, equal, match, ok, rejects } from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { pino } from 'pino'
import { serve } from '../../../src/http.ts'
import { createRunner } from '../../../src/index.ts'
import { createAuthority } from '../../helpers/certificates.ts'
import { until } from '../../helpers/latch.ts'
import { pathOf, sendTo, startNode, type Answer } from './served.ts'

test('a node that closes is not ready and takes no more calls, but answers for those it has', async (t) => {
  const { served, send, start, posts, runner } = await startNode(t)
  await until('a node that is ready', async () => (await send('/ready')).status === 200)
  const latch = posts.latch()
  const { json } = await start('hold', [latch.path, 'its value'], { timeout: 0 })
  const wait = send(pathOf(json['id']))
  await until('a wait that is held', async () => (await runner.stats()).waits === 1)
  const closed = served.close()
  await until('a node that is not ready', async () => (await send('/ready')).status === 503)
  const refused = await start('add', [1, 2])
  deepEqual(
    [refused.status, refused.json['type'], refused.json['started'], refused.headers.get('retry-after')],
    [503, 'urn:coatcheck:problem:draining', 'no', '1'],
  )
  equal((await send('/health')).status, 200)
  const another = send(pathOf(json['id']))
  await until('two waits that are held', async () => (await runner.stats()).waits === 2)
  latch.open()
  deepEqual([(await wait).json['value'], (await another).json['value']], ['its value', 'its value'])
  await closed
  await rejects(sendTo(`${served.url}/v1/health`))
})

test('closing with abort ends the calls, and tells those who wait', async (t) => {
  const { served, start, posts, runner } = await startNode(t)
  const wait = start('hold', [posts.latch().path])
  await until('a wait that is held', async () => (await runner.stats()).waits === 1)
  await Promise.all([served.close(), served.close({ abort: true, grace: 0 })])
  const { status, json } = await wait
  deepEqual([status, json['error'].code], [200, 'ABORTED'])
})

test('closing with options that are not right is refused and ends nothing, whenever it is tried', async (t) => {
  const { served, send, start, posts } = await startNode(t)
  await rejects(served.close({ grace: -1 }), RangeError)
  const latch = posts.latch()
  equal((await start('hold', [latch.path], { timeout: 0 })).status, 202)
  const closed = served.close()
  await until('a node that is not ready', async () => (await send('/ready')).status === 503)
  await rejects(served.close({ grace: -1 }), RangeError)
  latch.open()
  await closed
  await rejects(sendTo(`${served.url}/v1/health`))
})

test('connections on which nothing was asked, and streams of events, do not hold the end up', async (t) => {
  const { served } = await startNode(t)
  const socket = connect(Number(new URL(served.url).port), '127.0.0.1')
  await once(socket, 'connect')
  const stream = await fetch(`${served.url}/v1/events`, { headers: { accept: 'text/event-stream' } })
  const began = performance.now()
  const ended = once(socket, 'close')
  await served.close()
  equal(await stream.text(), ': coatcheck\n\n')
  socket.resume()
  await ended
  ok(performance.now() - began < 8_000)
})

test('connections that never came to speak TLS do not hold the end up', async (t) => {
  const tls = await (await createAuthority('coatcheck tests')).certify('node')
  const { served } = await startNode(t, { serve: { tls } })
  const silent = connect(Number(new URL(served.url).port), '127.0.0.1')
  const halfClosed = connect({ port: Number(new URL(served.url).port), host: '127.0.0.1', allowHalfOpen: true })
  await Promise.all([once(silent, 'connect'), once(halfClosed, 'connect')])
  halfClosed.end(Buffer.from([22, 3, 1]))
  const ended = [silent, halfClosed].map((socket) =>
    once(
      socket.resume().on('error', () => undefined),
      'close',
    ),
  )
  const began = performance.now()
  await served.close()
  ok(performance.now() - began < 8_000, 'sooner than the handshake would be given up')
  halfClosed.destroy()
  await Promise.all(ended)
})

test('a node whose functions cannot be loaded tells its callers and its log why it is not ready, and nobody else', async (t) => {
  const lines: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  const functions = new URL('../../fixtures/threads/scripts/broken.js', import.meta.url)
  const served = await serve(createRunner({ functions }), {
    functions: ['nothing'],
    port: 0,
    logger,
    authorize: ({ headers }) => headers['authorization'],
  })
  t.after(() => served.close({ abort: true }))
  const look = (headers: Record<string, string>): Promise<Answer> => sendTo(`${served.url}/v1/ready`, { headers })
  const known = await until('a reason', async () => {
    const ready = await look({ authorization: 'alice' })
    equal(ready.status, 503)
    return ready.json['type'] === 'urn:coatcheck:problem:spawn-failed' ? ready : undefined
  })
  equal(known.json['code'], 'SPAWN_FAILED')
  match(known.json['detail'], /broken\.js/)
  equal(typeof known.json['cause'].stack, 'string')

  const stranger = await look({})
  deepEqual([stranger.status, stranger.json['code'], stranger.json['cause']], [503, 'SPAWN_FAILED', undefined])
  doesNotMatch(stranger.text, /broken/)
  equal(lines.length, 1)
  match(lines[0] ?? '', /broken\.js/)
})
