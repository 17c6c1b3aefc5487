import { equal, ok } from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Signposts, until } from '../../helpers/latch.ts'
import { pathOf, sendTo } from './served.ts'

const isLong = process.env['COATCHECK_LONG_TESTS'] === '1'
const WAITS = isLong ? 2_000 : 300
const STARTS = isLong ? 500 : 100

/** Bytes of heap that a held wait may cost: a connection, a request, an answer and a timer. */
const MOST_PER_WAIT = 20_000
/** Bytes that may be left of one that has gone. */
const MOST_LEFT = 1_000

const posts = new Signposts()
let node: ChildProcess
let url: string

before(async () => {
  node = fork(fileURLToPath(new URL('scripts/node.ts', import.meta.url)), { execArgv: ['--expose-gc'] })
  ;[url] = (await once(node, 'message')) as [string]
})

after(async () => {
  node.send('close')
  await once(node, 'exit')
  posts.remove()
})

async function ask<T>(what: 'memory' | 'held'): Promise<T> {
  node.send(what)
  const [told] = await once(node, 'message')
  return told as T
}

function memory(): Promise<{ heap: number; rss: number }> {
  return ask('memory')
}

/** A call that goes on until it is let. */
async function begin(): Promise<{ id: string; end: () => void }> {
  const latch = posts.latch()
  const body = { fn: 'hold', args: [latch.path], timeout: 0 }
  const { json } = await sendTo(`${url}/v1/calls`, { method: 'POST', body })
  return { id: json['id'], end: () => latch.open() }
}

async function held(count: number): Promise<void> {
  await until(`${count} waits`, async () => (await ask<number>('held')) === count)
}

/** Opens so many connections, and waits on each. */
async function waitMany(id: string): Promise<{ sockets: Socket[]; answers: () => number }> {
  let answered = 0
  const { hostname, port } = new URL(url)
  const sockets = Array.from({ length: WAITS }, () => {
    const socket = connect(Number(port), hostname)
    socket.write(`GET /v1${pathOf(id)}?timeout=29000 HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`)
    socket.on('data', (data) => (answered += data.toString('latin1').startsWith('HTTP/1.1 200') ? 1 : 0))
    return socket
  })
  await held(WAITS)
  return { sockets, answers: () => answered }
}

test(`${WAITS} waits are held at once while starts go on, and each is answered`, async () => {
  const { id, end } = await begin()
  const empty = await memory()
  const { sockets, answers } = await waitMany(id)
  const full = await memory()
  const perWait = { heap: (full.heap - empty.heap) / WAITS, rss: (full.rss - empty.rss) / WAITS }

  const took: number[] = []
  for (let i = 0; i < STARTS; i++) {
    const began = performance.now()
    const { json } = await sendTo(`${url}/v1/calls`, { method: 'POST', body: { fn: 'add', args: [i, 1] } })
    equal(json['value'], i + 1)
    took.push(performance.now() - began)
  }
  took.sort((a, b) => a - b)
  const [p50 = NaN, p99 = NaN] = [0.5, 0.99].map((share) => took[Math.floor(share * STARTS)])
  console.log(
    `${WAITS} waits held: a start takes ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99); ` +
      `a held wait costs ${Math.round(perWait.heap)} bytes of heap, ${Math.round(perWait.rss)} of resident memory`,
  )
  ok(perWait.heap < MOST_PER_WAIT, `${perWait.heap} bytes of a held wait`)

  end()
  await until('all answers', () => answers() === WAITS)
  for (const socket of sockets) socket.destroy()
})

test('clients that go away take their waits with them, and nothing is left of these', async () => {
  const { id, end } = await begin()
  const heaps: number[] = []
  for (let round = 0; round < 4; round++) {
    const { sockets } = await waitMany(id)
    for (const socket of sockets) socket.destroy()
    await held(0)
    heaps.push((await memory()).heap)
  }
  const left = ((heaps.at(-1) ?? NaN) - (heaps[1] ?? NaN)) / (2 * WAITS)
  ok(left < MOST_LEFT, `${left} bytes are left of each: ${heaps.join(', ')}`)
  end()
})
