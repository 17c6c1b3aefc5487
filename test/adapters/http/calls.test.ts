import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../../helpers/latch.ts'
import { RICH_TYPE } from '../../../src/adapters/wire/media.ts'
import { readValue, writeArgs } from '../../../src/adapters/wire/values.ts'
import { createRunner } from '../../../src/index.ts'
import { EMBEDDED } from '../../../src/model/embedded.ts'
import { CALLS, type Calls } from '../../suites/place.ts'
import { pathOf, sendTo, sharedNode, startNode, withMethods, type Answer } from './served.ts'

const shared = sharedNode()

/** A call that goes on, and how to end it. */
async function held(value?: unknown): Promise<{ id: string; open: () => void }> {
  const { start, posts } = shared()
  const latch = posts.latch()
  const { status, json } = await start('hold', [latch.path, value], { timeout: 0 })
  equal(status, 202)
  return { id: json['id'], open: () => latch.open() }
}

function problem(kind: string): string {
  return `urn:coatcheck:problem:${kind}`
}

describe('POST /v1/calls', () => {
  test('answers with the value of a call that ends in time, and where it can be asked for', async () => {
    const { start, send } = shared()
    const { status, json, headers } = await start('add', [1, 2])
    equal(status, 200)
    deepEqual(json, { id: json['id'], fn: 'add', finished: true, ok: true, value: 3 })
    equal(headers.get('location'), `/v1${pathOf(json['id'])}`)
    equal(headers.get('coatcheck-wait'), '10000')
    equal(headers.get('cache-control'), 'no-store')
    deepEqual((await send(pathOf(json['id']))).json, json)
  })

  test('answers 202 with the ID of a call that goes on', async () => {
    const { start, send, posts } = shared()
    const latch = posts.latch()
    const { status, json, headers } = await start('hold', [latch.path, 'held'], { timeout: 1 })
    equal(status, 202)
    deepEqual(json, { id: json['id'], fn: 'hold', finished: false, state: json['state'] })
    equal(headers.get('location'), `/v1${pathOf(json['id'])}`)
    equal(headers.get('retry-after'), '0')
    latch.open()
    equal((await send(pathOf(json['id']))).json['value'], 'held')
  })

  test('a wait that outlives its first moments is answered when its call ends', async () => {
    const { start, posts } = shared()
    const latch = posts.latch()
    const answer = start('hold', [latch.path, 'in time'])
    await until('a wait that is held', async () => (await shared().runner.stats()).waits > 0)
    latch.open()
    const { status, json } = await answer
    deepEqual([status, json['value']], [200, 'in time'])
  })

  test('what a function throws is an outcome, not a problem', async () => {
    const { status, json } = await shared().start('fail', ['builtIn'])
    equal(status, 200)
    deepEqual([json['finished'], json['ok'], json['error'].code], [true, false, 'FUNCTION_THREW'])
    deepEqual([json['error'].cause.name, json['error'].cause.message], ['RangeError', 'out of range'])
    deepEqual([json['error'].started, json['error'].retryable], ['yes', false])
  })

  test('prefers what the Prefer header asks for, and says so', async () => {
    const { start, posts } = shared()
    const latch = posts.latch()
    const wait = await start('hold', [latch.path], {}, { prefer: 'wait=0' })
    deepEqual([wait.status, wait.headers.get('preference-applied')], [202, 'wait=0'])
    const async = await start('hold', [latch.path], {}, { prefer: 'respond-async' })
    deepEqual([async.status, async.headers.get('preference-applied')], [202, 'respond-async'])
    equal(async.headers.get('retry-after'), '1')
    latch.open()
    const long = await start('add', [1, 2], {}, { prefer: 'wait=3600' })
    deepEqual([long.headers.get('preference-applied'), long.headers.get('coatcheck-wait')], ['wait=29', '29000'])
  })

  test('the same idempotency key gives the call that exists', async () => {
    const { start, posts } = shared()
    const trail = posts.trail()
    const key = { 'idempotency-key': 'order 1' }
    const first = await start('leave', [trail.path, 'once'], {}, key)
    const second = await start('leave', [trail.path, 'once'], {}, key)
    equal(second.json['id'], first.json['id'])
    deepEqual(trail.read(), ['once'])
    const other = await start('leave', [trail.path, 'twice'], {}, key)
    deepEqual([other.status, other.json['type'], other.json['code']], [422, problem('key-reused'), 'KEY_REUSED'])
    match(other.json['detail'], /"order 1"/)
  })

  test('a start again of a call that has ended just now and is not kept is answered with its end', async (t) => {
    const runner = withMethods(shared().runner, {
      start: () => Promise.resolve({ finished: true, ok: true, value: 3 }) as never,
    })
    const { start } = await startNode(t, { lent: runner })
    const { status, json, headers } = await start('add', [1, 2], { retain: 0 }, { 'idempotency-key': 'again' })
    deepEqual([status, json], [200, { fn: 'add', finished: true, ok: true, value: 3 }])
    equal(headers.get('location'), null)
  })

  test('a client that disconnects finds its call by the key, and its wait is gone', async () => {
    const { start, runner, posts, served } = shared()
    const [latch, trail] = [posts.latch(), posts.trail()]
    const controller = new AbortController()
    const body = JSON.stringify({ fn: 'holdThenLeave', args: [latch.path, trail.path, 'once'] })
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'lost' }
    const lost = fetch(`${served.url}/v1/calls`, { method: 'POST', body, headers, signal: controller.signal })
    await until('a wait that is held', async () => (await runner.stats()).waits === 1)
    controller.abort()
    await lost.catch(() => undefined)
    await until('a wait that is gone', async () => (await runner.stats()).waits === 0)
    const found = start('holdThenLeave', [latch.path, trail.path, 'once'], {}, { 'idempotency-key': 'lost' })
    latch.open()
    equal((await found).json['ok'], true)
    deepEqual(trail.read(), ['once'])
  })

  test('passes the options of the call on', async () => {
    const { start } = shared()
    const { json } = await start('returnWhenAborted', ['late'], { abortAfter: 5, grace: Number.MAX_VALUE, priority: 5 })
    equal(json['value'], 'late')
  })

  test('a call is kept for retain, and one that is kept for no time has no ID', async () => {
    const { start, send } = shared()
    const gone = await start('add', [1, 2], { retain: 0 })
    deepEqual(
      [gone.status, gone.json, gone.headers.get('location')],
      [200, { fn: 'add', finished: true, ok: true, value: 3 }, null],
    )
    const short = await start('add', [1, 2], { retain: 1 })
    const expired = await until('a call that expired', async () => {
      const answer = await send(pathOf(short.json['id']))
      return answer.status === 410 ? answer : undefined
    })
    deepEqual([expired.json['type'], expired.json['code']], [problem('call-expired'), 'CALL_EXPIRED'])
  })

  test('a start by a key is not run again though the call is not kept, whoever says so', async (t) => {
    const { start, send, posts } = await startNode(t, {
      runner: { define: { leave: { retain: 0 }, holdThenLeave: { retain: 50_000 } } },
    })
    const trail = posts.trail()
    const again = async (note: string, options?: object): Promise<Answer> => {
      const key = { 'idempotency-key': note }
      equal((await start('leave', [trail.path, note], options, key)).status, 200)
      return start('leave', [trail.path, note], options, key)
    }
    for (const gone of [await again('by its function'), await again('by its start', { retain: 0 })]) {
      deepEqual(
        [gone.status, gone.json['type'], gone.json['code'], gone.json['started']],
        [410, problem('call-expired'), 'CALL_EXPIRED', 'unknown'],
      )
    }
    deepEqual(trail.read(), ['by its function', 'by its start'])

    const latch = posts.latch()
    const key = { 'idempotency-key': 'dropped' }
    const first = await start('holdThenLeave', [latch.path, trail.path, 'first'], { timeout: 0 }, key)
    latch.open()
    await until('an end', async () => (await send(pathOf(first.json['id']))).json['finished'])
    await send(pathOf(first.json['id']), { method: 'DELETE' })
    equal((await start('holdThenLeave', [latch.path, trail.path, 'second'], {}, key)).status, 200)
  })

  test('a start by a key is not run again though the runner does not say for how long it keeps calls', async (t) => {
    const runner = createRunner<Calls>({ functions: CALLS, define: { leave: { retain: 0 } } })
    t.after(() => runner.close())
    const elsewhere = withMethods(runner, { [EMBEDDED]: undefined } as object)
    const { start, posts } = await startNode(t, { lent: elsewhere })
    const trail = posts.trail()
    const statuses: number[] = []
    for (let i = 0; i < 2; i++) {
      statuses.push((await start('leave', [trail.path, 'once'], {}, { 'idempotency-key': 'key' })).status)
    }
    deepEqual([statuses, trail.read()], [[200, 410], ['once']])
  })

  test('refuses what is not right with a problem that says what would be', async () => {
    const { start, send } = shared()
    const cases: [Promise<{ status: number; json: Record<string, unknown> }>, number, string][] = [
      [start('add', [1, 2], { timeout: -1 }), 400, 'invalid-timeout'],
      [start('add', [1, 2], { timeout: '5' }), 400, 'invalid-timeout'],
      [start('add', [1, 2], { abortAfter: 0 }), 400, 'invalid-timeout'],
      [start('add', [1, 2], { priority: 101 }), 400, 'invalid-request'],
      [start('add', [1, 2], { other: 1 }), 400, 'invalid-request'],
      [start('spin', []), 404, 'function-not-found'],
      [send('/calls', { method: 'POST', body: '{' }), 400, 'invalid-request'],
      [send('/calls', { method: 'POST', body: '[]' }), 400, 'invalid-request'],
      [send('/calls', { method: 'POST', body: '{"fn":"echo","args":[{"__proto__":1}]}' }), 400, 'invalid-request'],
      [send('/calls', { method: 'POST', body: 'x'.repeat(2_000_000) }), 413, 'body-too-large'],
      [
        send('/calls', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }),
        415,
        'unsupported-media-type',
      ],
      [start('add', [1, 2], {}, { accept: 'text/html' }), 406, 'not-acceptable'],
      [start('add', [1, 2], {}, { 'idempotency-key': 'k'.repeat(513) }), 400, 'invalid-request'],
      [start('add', [1, 2], {}, { 'coatcheck-node': '00000000' }), 412, 'node-changed'],
      [send('/call'), 404, 'not-found'],
      [send('/calls', { method: 'PUT', body: {} }), 404, 'not-found'],
    ]
    for (const [answer, status, kind] of cases) {
      const { status: got, json } = await answer
      deepEqual([got, json['type'], json['status']], [status, problem(kind), status], JSON.stringify(json))
      equal(json['started'], 'no')
      ok(String(json['detail']).length > 10)
    }
  })
})

describe('values', () => {
  const rich = { 'content-type': RICH_TYPE, accept: RICH_TYPE }

  test('all that structured clone knows travels in the rich form', async () => {
    const { send } = shared()
    const value = [new Map([[5n, new Date(0)]]), new Set([NaN, -0]), new Uint8Array([1, 2]), undefined]
    const body = `{"fn":"echo","args":${writeArgs([value])}}`
    const { status, json, headers } = await send('/calls', { method: 'POST', body, headers: rich })
    equal(status, 200)
    match(headers.get('content-type') ?? '', /^application\/vnd\.coatcheck\+json/)
    deepEqual(readValue(json['value'], 'rich'), value)
  })

  test('what JSON cannot carry is refused with the type to ask for, and the call can be asked for with it', async () => {
    const { send } = shared()
    const body = `{"fn":"echo","args":${writeArgs([{ at: new Date(0) }])}}`
    const plain = await send('/calls', { method: 'POST', body, headers: { 'content-type': RICH_TYPE } })
    deepEqual([plain.status, plain.json['type'], plain.json['started']], [406, problem('not-acceptable'), 'yes'])
    match(plain.json['detail'], /^result\.at is a Date/)
    const answer = await send(pathOf(plain.json['id']), { headers: { accept: RICH_TYPE } })
    deepEqual(readValue(answer.json['value'], 'rich'), { at: new Date(0) })
  })

  test('arguments that are no document of their form do not fit', async () => {
    const { send } = shared()
    for (const args of ['[["Map",5]]', '[["Unknown",0]]', '[[-7,4294967294,0,1],1]', '[{"a":1},1]']) {
      const { status, json } = await send('/calls', {
        method: 'POST',
        body: `{"fn":"echo","args":${args}}`,
        headers: rich,
      })
      deepEqual([status, json['type']], [422, problem('arguments-unfit')], args)
    }
  })
})

describe('GET /v1/calls/{id}', () => {
  test('waits for the call, and says how long it would have', async () => {
    const { send } = shared()
    const { id, open } = await held('value')
    const first = await send(`${pathOf(id)}?timeout=30`)
    deepEqual([first.status, first.json['finished'], first.headers.get('coatcheck-wait')], [200, false, '30'])
    equal(first.headers.get('retry-after'), '0')
    const second = send(`${pathOf(id)}?timeout=60000`)
    open()
    deepEqual([(await second).json['value'], (await second).headers.get('coatcheck-wait')], ['value', '29000'])
    equal((await second).headers.get('retry-after'), null)
  })

  test('answers 304 while it stands as the client knows', async () => {
    const { send } = shared()
    const { id, open } = await held()
    await until('a call that runs', async () => (await send(`${pathOf(id)}?timeout=0`)).json['state'] === 'running')
    const { headers } = await send(`${pathOf(id)}?timeout=0`)
    const tag = headers.get('etag') ?? ''
    match(tag, /^"[\w-]+"$/)
    const same = await send(`${pathOf(id)}?timeout=0`, { headers: { 'if-none-match': `"x", W/${tag}` } })
    deepEqual([same.status, same.text, same.headers.get('etag')], [304, '', tag])
    open()
    equal((await send(pathOf(id), { headers: { 'if-none-match': tag } })).status, 200)
  })

  test('refuses what is no call, and one of a runner that is gone', async () => {
    const { send } = shared()
    const none = await send(pathOf('nonsense'))
    deepEqual([none.status, none.json['code']], [404, 'CALL_UNKNOWN'])
    const lost = await send(pathOf(`1:2:3.5:${'a'.repeat(40)}`))
    deepEqual([lost.status, lost.json['code'], lost.json['type']], [410, 'CALL_LOST', problem('call-lost')])
    equal((await send(`${pathOf('x')}?timeout=-5`)).json['type'], problem('invalid-timeout'))
    equal((await send(`${pathOf('x')}?time=5`)).status, 400)
    equal((await send(pathOf('x'.repeat(300)))).status, 414)
    equal((await send('/calls/%ff')).status, 400)
  })

  test('a call of the application itself is none of the caller', async () => {
    const { runner, send } = shared()
    const { id } = await runner.start('add', [1, 2], { timeout: 0 })
    const { status, json } = await send(pathOf(id))
    deepEqual([status, json['code']], [404, 'CALL_UNKNOWN'])
    equal((await send(pathOf(id), { method: 'DELETE' })).status, 404)
    await runner.forget(id).catch(() => runner.wait(id).then(() => runner.forget(id)))
  })
})

describe('cancel, forget, list', () => {
  test('a call that is cancelled is asked to end, with the reason', async () => {
    const { start, send } = shared()
    const { json } = await start('reasonWhenAborted', [], { timeout: 0 })
    const path = pathOf(json['id'])
    await until('a call that runs', async () => (await send(`${path}?timeout=0`)).json['state'] === 'running')
    const asked = await send(`${path}/cancel`, { method: 'POST', body: { reason: 'no longer needed' } })
    equal(asked.status, 202)
    const ended = await send(path)
    equal(ended.json['value'].message, 'no longer needed')
    equal((await send(`${path}/cancel`, { method: 'POST' })).status, 200)
  })

  test('a finished call can be forgotten, one that runs cannot', async () => {
    const { send } = shared()
    const { id, open } = await held()
    const running = await send(pathOf(id), { method: 'DELETE' })
    deepEqual([running.status, running.json['code'], running.json['retryable']], [409, 'CALL_RUNNING', true])
    open()
    await send(pathOf(id))
    const gone = await send(pathOf(id), { method: 'DELETE' })
    deepEqual([gone.status, gone.text], [204, ''])
    equal((await send(pathOf(id))).status, 410)
  })

  test('lists the calls in pages', async (t) => {
    const { start, send, runner } = await startNode(t)
    await runner.start('add', [0, 0], { timeout: 0 })
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.push((await start('add', [i, i])).json['id'])
    const first = await send('/calls?limit=3&fn=add&state=finished')
    deepEqual(
      first.json['calls'].map(({ id }: { id: string }) => id),
      ids.slice(0, 3),
    )
    const second = await send(`/calls?limit=3&cursor=${first.json['cursor']}`)
    deepEqual(
      second.json['calls'].map(({ id }: { id: string }) => id),
      ids.slice(3),
    )
    equal(second.json['cursor'], undefined)
    const [row] = first.json['calls']
    deepEqual([row.fn, row.state, row.ok, row.priority], ['add', 'finished', true, 0])
    for (const query of ['limit=0', 'limit=x', 'state=done', 'cursor=-1', 'other=1']) {
      equal((await send(`/calls?${query}`)).status, 400, query)
    }
  })
})

describe('calls of others in the runner', () => {
  test('make no page short, and are not kept because somebody lists', async (t) => {
    const { start, send, runner, posts } = await startNode(t)
    const latch = posts.latch()
    const ids: string[] = []
    const others: Promise<unknown>[] = []
    for (let i = 0; i < 4; i++) {
      others.push(runner.call('hold', [latch.path]))
      ids.push((await start('hold', [latch.path], { timeout: 0 })).json['id'])
    }
    const { json } = await send('/calls?limit=4')
    deepEqual(
      json['calls'].map(({ id }: { id: string }) => id),
      ids,
    )
    equal(json['cursor'], undefined)
    latch.open()
    await Promise.all([...others, ...ids.map((id) => runner.wait(id))])
    equal((await runner.stats()).calls.finished, ids.length)
  })
})

describe('the node', () => {
  test('says which it is with every answer, problems too', async () => {
    const { send, start, served } = shared()
    const { json } = await send('/health')
    match(json['node'], /^[0-9a-f]{8}$/)
    const paths = ['/v1/calls', '/v1/nowhere', '/nowhere', '/%ff', '/v1/calls/%ff', `/v1/calls/${'x'.repeat(300)}`]
    const answers = paths.map((path) => sendTo(`${served.url}${path}`))
    const badBody = sendTo(`${served.url}/nowhere`, { method: 'POST', body: '{' })
    for (const { headers } of await Promise.all([...answers, badBody, start('x', [])])) {
      deepEqual([headers.get('coatcheck-node'), headers.get('cache-control')], [json['node'], 'no-store'])
    }
    equal((await start('add', [1, 2], {}, { 'coatcheck-node': json['node'] })).status, 200)
  })

  test('tells what can be called, and its figures', async () => {
    const { send } = shared()
    ok((await send('/functions')).json['functions'].includes('add'))
    ok((await send('/stats')).json['total'].admitted > 0)
  })
})
