import { deepEqual, equal, match } from 'node:assert/strict'
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import Fastify from 'fastify'
import { addTo } from '../../../src/adapters/http/plugin.ts'
import type { HttpOptions } from '../../../src/http.ts'
import { createRunner, type Runner } from '../../../src/index.ts'
import { readEvent, type EventName } from '../../../src/adapters/wire/events.ts'
import { RICH_TYPE } from '../../../src/adapters/wire/media.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'
import { Signposts, until } from '../../helpers/latch.ts'
import { CALLS, type Calls } from '../../suites/place.ts'
import { ALL, pathOf } from './served.ts'

interface Told {
  id: string | undefined
  event: string | undefined
  // oxlint-disable-next-line typescript/no-explicit-any
  data: any
}

/** A client of server-sent events. */
class Listener {
  readonly response: Response
  text = ''
  isOver = false
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined

  constructor(response: Response) {
    this.response = response
    this.#reader = response.body?.getReader()
    void this.#read()
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<Listener> {
    return new Listener(await fetch(url, { headers: { accept: 'text/event-stream', ...headers } }))
  }

  get events(): Told[] {
    const blocks = this.text.split('\n\n').slice(0, -1)
    return blocks
      .filter((block) => !block.startsWith(':'))
      .map((block) => {
        const fields = new Map(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
        )
        return { id: fields.get('id'), event: fields.get('event'), data: JSON.parse(fields.get('data') ?? 'null') }
      })
  }

  get names(): (string | undefined)[] {
    return this.events.map(({ event }) => event)
  }

  /** Resolves when so many events have arrived. */
  async heard(count: number): Promise<Told[]> {
    return until(`${count} events`, () => (this.events.length >= count ? this.events : undefined))
  }

  // Not by a signal: the platform's fetch forgets a signal whose request was collected.
  close(): void {
    void this.#reader?.cancel()
  }

  async #read(): Promise<void> {
    for (;;) {
      const chunk = await this.#reader?.read()
      if (!chunk || chunk.done) break
      this.text += Buffer.from(chunk.value).toString()
    }
    this.isOver = true
  }
}

interface Streamed {
  url: string
  clock: FakeClock
  runner: Runner<Calls>
  posts: Signposts
  start(fn: string, args: unknown[], key?: string): Promise<string>
  listen(path: string, headers?: Record<string, string>): Promise<Listener>
}

/** Says who somebody is who says a name. */
function byName({ headers }: { headers: Record<string, unknown> }): string {
  return String(headers['x-name'] ?? 'alice')
}

/** A node by a clock that the test moves. */
async function setUp(t: TestContext, options: Partial<HttpOptions> = {}): Promise<Streamed> {
  const clock = new FakeClock()
  const runner = createRunner<Calls>({ functions: CALLS, threads: { max: 2 } })
  // A connection on which nothing was asked yet is not idle to Node: it would hold the end up.
  const app = Fastify({ forceCloseConnections: true })
  const posts = new Signposts()
  const plugin = { runner, functions: ALL, authorize: byName, ...options }
  await app.register((scope) => addTo(scope, plugin, clock), { prefix: '/v1' })
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/v1`
  t.after(async () => {
    await app.close()
    await runner.close({ abort: true, grace: 0 })
    posts.remove()
  })
  return {
    url,
    clock,
    runner,
    posts,
    async start(fn, args) {
      const body = JSON.stringify({ fn, args, timeout: 0 })
      const answer = await fetch(`${url}/calls`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      })
      return ((await answer.json()) as { id: string }).id
    },
    async listen(path, headers) {
      const listener = await Listener.open(url + path, headers)
      t.after(() => listener.close())
      return listener
    },
  }
}

test('a call tells its progress and its end, and then the stream ends', async (t) => {
  const { start, listen, posts } = await setUp(t)
  const latch = posts.latch()
  const id = await start('report', [[{ done: 1 }], latch.path])
  const listener = await listen(`${pathOf(id)}/events`)
  equal(listener.response.headers.get('content-type'), 'text/event-stream')
  match(listener.response.headers.get('cache-control') ?? '', /no-store/)
  await until('progress', () => listener.names.includes('progress'))
  latch.open()
  await until('the end of the stream', () => listener.isOver)
  const [last] = listener.events.slice(-1)
  const { queueTime, runTime, ...data } = last?.data ?? {}
  deepEqual([last?.event, last?.id, data], ['finished', 'end', { id, fn: 'report', ok: true, value: 'reported' }])
  deepEqual([typeof queueTime, runTime > 0], ['number', true])
})

test('who comes when the call has ended is told so, and who knows it gets nothing', async (t) => {
  const { start, listen, url, runner } = await setUp(t)
  const id = await start('add', [1, 2])
  await runner.wait(id)
  const listener = await listen(`${pathOf(id)}/events`)
  await until('the end of the stream', () => listener.isOver)
  deepEqual(listener.names, ['finished'])
  equal(listener.events[0]?.data.value, 3)
  const known = await fetch(`${url}${pathOf(id)}/events`, {
    headers: { accept: 'text/event-stream', 'last-event-id': 'end' },
  })
  equal(known.status, 204)
})

test('who listens to a call that ends just then and is not kept is told its end', async (t) => {
  const { start, listen, runner, posts } = await setUp(t)
  const latch = posts.latch()
  const id = await start('hold', [latch.path])
  runner.wait = () => Promise.resolve({ finished: true, ok: true, value: 'the end' }) as never
  const listener = await listen(`${pathOf(id)}/events`)
  await until('the end of the stream', () => listener.isOver)
  const [{ event, data } = {}] = listener.events
  deepEqual([event, data.id, data.value], ['finished', id, 'the end'])
  latch.open()
})

test('who comes back after a broken connection misses nothing, and hears nothing twice', async (t) => {
  const { start, listen, posts } = await setUp(t)
  const latches = Array.from({ length: 4 }, () => posts.latch())
  const id = await start('reportEach', [latches.map(({ path }) => path)])
  const first = await listen(`${pathOf(id)}/events`)
  latches[0]?.open()
  await until('progress', () => first.names.includes('progress'))
  const lastId = first.events.at(-1)?.id ?? ''
  first.close()
  const between = await listen('/events')
  for (const latch of latches.slice(1, 3)) latch.open()
  await until('two more', () => between.names.filter((name) => name === 'progress').length >= 2)
  const second = await listen(`${pathOf(id)}/events`, { 'last-event-id': lastId })
  latches[3]?.open()
  await until('the end of the stream', () => second.isOver)
  const seen = [...first.events, ...second.events].filter(({ event }) => event === 'progress')
  deepEqual(
    seen.map(({ data }) => data.progress),
    [0, 1, 2, 3],
  )
})

test('a comment is sent every 15 seconds, and no timer stays when the client has gone', async (t) => {
  const { start, listen, posts, clock } = await setUp(t)
  const latch = posts.latch()
  const id = await start('hold', [latch.path])
  const listener = await listen(`${pathOf(id)}/events`)
  const comments = (): number => listener.text.split('\n\n').filter((block) => block.startsWith(':')).length
  await until('the first comment', () => comments() === 1)
  const before = clock.pendingRef
  await clock.advance(14_999)
  await nextTurn()
  equal(comments(), 1)
  await clock.advance(1)
  await until('the second comment', () => comments() === 2)
  listener.close()
  await until('no timer', () => clock.pendingRef === before - 1)
  latch.open()
})

test('all calls of a principal tell all there is, and those of others nothing', async (t) => {
  const { start, listen, posts, runner } = await setUp(t)
  const [mine, others] = [await listen('/events'), await listen('/events', { 'x-name': 'bob' })]
  const latch = posts.latch()
  const id = await start('report', [['half'], latch.path])
  await mine.heard(3)
  latch.open()
  await mine.heard(5)
  deepEqual(mine.names, ['queued', 'started', 'progress', 'finished', 'idle'])
  for (const { data } of mine.events.slice(0, 4)) deepEqual([data.id, data.fn], [id, 'report'])
  await runner.forget(id)
  deepEqual(others.names, ['idle'])
})

test('values travel in the rich form where it is accepted beside, and what JSON cannot carry is told as a problem', async (t) => {
  const { start, listen, posts } = await setUp(t)
  const latch = posts.latch()
  const id = await start('report', [[1], latch.path])
  const rich = await listen(`${pathOf(id)}/events`, { accept: `text/event-stream, ${RICH_TYPE}` })
  latch.open()
  await until('the end of the stream', () => rich.isOver)
  const finished = rich.events.at(-1)
  const [event] = readEvent(finished?.event as EventName, finished?.data, 'rich') as [{ outcome: unknown }]
  deepEqual(event.outcome, { ok: true, value: 'reported' })

  const bigint = await start('throwValue', [])
  const plain = await listen(`${pathOf(bigint)}/events`)
  await until('the end of the stream', () => plain.isOver)
  equal(plain.events.at(-1)?.data.error.code, 'FUNCTION_THREW')
})

test('the runner is listened to only while somebody listens, and a while longer', async (t) => {
  const { start, listen, runner, clock, posts } = await setUp(t)
  const listening: string[] = []
  const [on, off] = [runner.on.bind(runner), runner.off.bind(runner)]
  runner.on = (event, listener) => {
    listening.push(event)
    return on(event, listener)
  }
  runner.off = (event, listener) => {
    listening.splice(listening.indexOf(event), 1)
    return off(event, listener)
  }
  const latch = posts.latch()
  const id = await start('hold', [latch.path])
  deepEqual(listening, [])
  const listener = await listen(`${pathOf(id)}/events`)
  const all = ['drain', 'expired', 'finished', 'idle', 'progress', 'queued', 'started']
  deepEqual(listening.toSorted(), all)
  await until('a heartbeat', () => clock.pendingRef === 1)
  listener.close()
  await until('no heartbeat', () => clock.pendingRef === 0)
  await clock.advance(29_999)
  deepEqual(listening.toSorted(), all, 'for one whose connection broke')
  await clock.advance(1)
  deepEqual(listening, [])
  equal(clock.pending, 0)
  latch.open()
})

test('a principal has only so many streams open', async (t) => {
  const { listen, url } = await setUp(t, { limits: { streamsPerPrincipal: 1 } })
  const first = await listen('/events')
  const second = await fetch(`${url}/events`, { headers: { accept: 'text/event-stream' } })
  equal(second.status, 429)
  first.close()
  await until('room', async () => {
    const again = await listen('/events')
    return again.response.status === 200
  })
})

test('who does not take a stream of events is told what there is', async (t) => {
  const { url } = await setUp(t)
  const answer = await fetch(`${url}/events`, { headers: { accept: 'application/json' } })
  equal(answer.status, 406)
})

test('a client that leaves before it is let in leaves no stream behind', async (t) => {
  const asked: { left: Promise<unknown> }[] = []
  const { url, listen, start, clock } = await setUp(t, {
    limits: { streamsPerPrincipal: 1 },
    async authorize(request) {
      if (request.headers['x-name'] === 'hasty') {
        const left = once(request.raw.socket, 'close')
        asked.push({ left })
        await left
      }
      return 'alice'
    },
  })
  const id = await start('add', [1, 2])
  for (const path of ['/events', `${pathOf(id)}/events`]) {
    const hasty = new AbortController()
    const headers = { accept: 'text/event-stream', 'x-name': 'hasty' }
    const opened = fetch(url + path, { headers, signal: hasty.signal }).catch(() => undefined)
    const { left } = await until('a client to let in', () => asked.pop())
    hasty.abort()
    await Promise.all([opened, left])
    await nextTurn()
    equal(clock.pendingRef, 0, 'no heartbeat')
    const next = await listen('/events')
    equal(next.response.status, 200)
    next.close()
    await until('room', () => clock.pendingRef === 0)
  }
})
