import { deepEqual, equal, ok, strictEqual } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { Serializer } from 'node:v8'
import { MessagePort } from 'node:worker_threads'
import { CallError, type Runner } from '../../../src/index.ts'
import type * as kinds from '../../fixtures/threads/kinds.ts'
import type * as countsPosts from '../../fixtures/threads/counts-posts.ts'
import type * as setTime from '../../fixtures/threads/set-time.ts'
import { commonRunner, endOf, runnerOf, within, type Functions } from '../../fixtures/threads/harness.ts'

const KINDS = new URL('../../fixtures/threads/kinds.ts', import.meta.url)

const HUNG = 'a call does not end'

test('small calls of one turn take at most one message, and their results few', async (t) => {
  const functions = new URL('../../fixtures/threads/counts-posts.ts', import.meta.url)
  const runner = runnerOf<typeof countsPosts>(t, { functions, threads: { max: 1 } })
  for (let i = 0; i < 1_000; i++) await runner.call('nextNumber', [i])

  const before = await runner.call('postsSoFar', [])
  const sent = countPosts(t)
  const values = await Promise.all(Array.from({ length: 100 }, (_, i) => runner.call('nextNumber', [i])))
  ok(sent.count <= 1, `100 calls took ${sent.count} messages`)
  const after = await runner.call('postsSoFar', [])

  deepEqual(
    values,
    values.map((_, i) => i + 1),
  )
  ok(after - before <= 25, `100 results took ${after - before} messages`)
})

/** What calls are handed, by how it travels, and the messages that a hundred of them take. */
const HANDED = [
  { what: 'small plain objects', given: (n: number) => ({ n, more: [{ text: 'small' }] }), fewest: 0 },
  { what: 'other objects', given: (n: number) => ({ n, at: new Date(0) }), fewest: 1 },
]

for (const { what, given, fewest } of HANDED) {
  test(`calls of one turn that are handed ${what} travel in one message at most`, async (t) => {
    const functions = new URL('../../fixtures/threads/counts-posts.ts', import.meta.url)
    const runner = runnerOf<typeof countsPosts>(t, { functions, threads: { max: 1 } })
    for (let i = 0; i < 1_000; i++) await runner.call('nextIn', [given(i)])

    const sent = countPosts(t)
    const values = await Promise.all(Array.from({ length: 100 }, (_, n) => runner.call('nextIn', [given(n)])))
    ok(sent.count >= fewest && sent.count <= 1, `100 calls took ${sent.count} messages`)
    deepEqual(
      values,
      values.map((_, i) => i + 1),
    )
  })
}

/** How many of 20 calls the only thread is sent at once, by the microseconds that each takes. */
const SENT: [takes: number, sent: number][] = [
  [30_000, 1],
  [15_000, 2],
  [600, 2],
  [300, 3],
  [150, 6],
  [5, 20],
]

for (const [takes, sent] of SENT) {
  const title = `a thread is sent about a millisecond of work ahead, or the next call: of 20 calls that take ${takes} µs it has ${sent}`
  test(title, async (t) => {
    const functions = new URL('../../fixtures/threads/set-time.ts', import.meta.url)
    const runner = runnerOf<typeof setTime>(t, { functions, threads: { max: 1 } })
    for (let i = 0; i < 5; i++) await runner.call('take', [takes])
    const calls = Array.from({ length: 20 }, () => runner.call('take', [takes]))
    equal(runner.stats().queueLength, 20)
    // They are sent at the end of the turn. Nothing is heard of them before the next one.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    equal(runner.stats().queueLength, 20 - sent)
    await within(10_000, Promise.all(calls), HUNG)
  })
}

test('a result that cannot be cloned harms none of those that travel with it', async (t) => {
  const runner = await warmRunner(t, 'uncloneableIf')
  const calls = Array.from({ length: 20 }, (_, i) => endOf(runner.call('uncloneableIf', [i === 7, i])))
  for (const [i, end] of (await within(5_000, Promise.all(calls), HUNG)).entries()) {
    if (i !== 7) deepEqual(end, { value: i })
    else {
      const error = errorOf(end)
      deepEqual([error.code, error.started], ['NOT_CLONEABLE', 'yes'])
      ok(error.message.includes('result.user.save'), error.message)
    }
  }
})

test('a result with a getter that throws harms none of those that travel with it', async (t) => {
  const runner = await warmRunner(t, 'throwingGetterIf')
  const calls = Array.from({ length: 20 }, (_, i) => endOf(runner.call('throwingGetterIf', [i === 7, i])))
  for (const [i, end] of (await within(5_000, Promise.all(calls), HUNG)).entries()) {
    if (i !== 7) deepEqual(end, { value: i })
    else equal(errorOf(end).code, 'NOT_CLONEABLE')
  }
})

test('a result that cannot even be looked at ends its call, and leaves the thread alive', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  const thread = await runner.call('thread', [])
  const error = errorOf(await within(5_000, endOf(runner.call('unreadable', [])), HUNG))
  ok(['NOT_CLONEABLE', 'FUNCTION_THREW'].includes(error.code) || error.message === 'no looking here', error.message)
  equal(await runner.call('thread', []), thread)
})

/** Values that look fine and that the platform refuses all the same. */
const REFUSED: Record<string, () => unknown> = {
  'an array with a method': () => Object.assign([1, 2], { save: () => undefined }),
  'an object that says it is plain': () =>
    Object.defineProperty(new WeakMap(), Symbol.toStringTag, { value: 'Object' }),
  'an object of the platform': () => new Serializer(),
  'a promise without a prototype': () => Object.setPrototypeOf(Promise.resolve(), null),
  'a view out of the bounds of its buffer': () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 8 })
    const view = new Uint8Array(buffer, 4, 4)
    buffer.resize(0)
    return view
  },
}

for (const [what, make] of Object.entries(REFUSED)) {
  test(`an argument that only the platform refuses ends only its call: ${what}`, async (t) => {
    const runner = await warmRunner(t, 'uncloneableIf')
    const calls = Array.from({ length: 10 }, (_, i) => endOf(runner.call('echo', [i === 4 ? { deep: make() } : i])))
    for (const [i, end] of (await within(5_000, Promise.all(calls), HUNG)).entries()) {
      if (i !== 4) deepEqual(end, { value: i })
      else {
        const error = errorOf(end)
        deepEqual([error.code, error.started], ['NOT_CLONEABLE', 'no'])
      }
    }
    deepEqual(runner.stats().calls, { queued: 0, running: 0, finished: 0 })
  })
}

test('an argument with a getter that throws is refused as not cloneable', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  const argument = {
    get broken(): never {
      throw new Error('no reading here')
    },
  }
  const error = errorOf(await within(5_000, endOf(runner.call('echo', [{ deep: argument }])), HUNG))
  deepEqual([error.code, error.started], ['NOT_CLONEABLE', 'no'])
  equal(runner.stats().total.admitted, 0)
})

test('a listener that cancels calls while another one of their batch is refused harms nobody', async (t) => {
  const runner = await warmRunner(t, 'uncloneableIf')
  const controller = new AbortController()
  runner.on('finished', ({ outcome }) => {
    if (!outcome.ok) controller.abort()
  })
  const first = endOf(runner.call('echo', [new Serializer()]))
  const second = endOf(runner.call('uncloneableIf', [false, 2], { signal: controller.signal }))
  const third = endOf(runner.call('uncloneableIf', [false, 3]))

  const ends = await within(5_000, Promise.all([first, second, third]), HUNG)
  equal(errorOf(ends[0]).code, 'NOT_CLONEABLE')
  equal(errorOf(ends[1]).code, 'ABORTED')
  deepEqual(ends[2], { value: 3 })
})

/** Lists, by how they travel. */
const LISTS: Record<string, unknown[]> = { 'in shared memory': [], 'in a message': [new Date(0)] }

for (const [how, list] of Object.entries(LISTS)) {
  test(`calls of one turn that are given the same object each have a copy of their own: ${how}`, async (t) => {
    const runner = commonRunner(t, { threads: { max: 1 } })
    for (let i = 0; i < 100; i++) await runner.call('append', [[], i])
    const given = list as number[]
    const lists = await Promise.all([1, 2, 3].map((value) => runner.call('append', [given, value])))
    deepEqual(lists, [
      [...list, 1],
      [...list, 2],
      [...list, 3],
    ])
  })
}

test('calls that return the same object each give their caller a copy of its own', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 100; i++) await runner.call('sameObject', [])
  const [a, b] = await Promise.all([runner.call('sameObject', []), runner.call('sameObject', [])])
  ok(a !== b, 'two callers share one object')
  a.changedBy = 1
  strictEqual(b.changedBy, 0)
})

test('a result is the same whether it travels alone or with others', async (t) => {
  const runner = runnerOf<typeof kinds>(t, { functions: KINDS, threads: { max: 1 } })
  const names = await runner.call('kindNames', [])
  for (let i = 0; i < 100; i++) await runner.call('make', ['number'])
  const alone = new Map<string, unknown>()
  for (const name of names) alone.set(name, await endOf(runner.call('make', [name])))

  // Each has others before and behind it.
  const together = names.flatMap((name) => [name, 'number', name])
  const ends = await within(10_000, Promise.all(together.map((name) => endOf(runner.call('make', [name])))), HUNG)
  for (const [i, name] of together.entries()) deepEqual(pictureOf(ends[i]), pictureOf(alone.get(name)), name)
})

test('what is told of a call is told of that one, also when calls behind it take long', async (t) => {
  const runner = runnerOf<typeof kinds>(t, { functions: KINDS, threads: { min: 2, max: 2 } })
  await runner.ready()
  for (let i = 0; i < 100; i++) await runner.call('report', [0, 0])

  const started = new Map<string, number>()
  const progress = new Map<string, unknown[]>()
  const ended = new Map<string, unknown>()
  runner.on('started', ({ id }) => {
    ok(!ended.has(id), 'a call started after its end')
    started.set(id, (started.get(id) ?? 0) + 1)
  })
  runner.on('progress', (event) => {
    ok(!ended.has(event.id), 'progress came after the end')
    progress.set(event.id, [...(progress.get(event.id) ?? []), event.progress])
  })
  runner.on('finished', ({ id, outcome }) => ended.set(id, outcome.ok ? outcome.value : outcome.error))
  let mark = 0
  for (let round = 0; round < 60; round++) {
    const calls = Array.from({ length: 20 }, (_, i) => runner.call('report', [(mark += 1), i % 7 === 3 ? 6 : 0]))
    await within(10_000, Promise.all(calls), HUNG)
  }
  equal(ended.size, 1_200)
  for (const [id, value] of ended) {
    deepEqual(progress.get(id), [value])
    equal(started.get(id), 1)
  }
})

test('a buffer that two calls of one turn want to move goes to the first of them', async (t) => {
  const runner = commonRunner(t, { threads: { max: 1, concurrency: 2 } })
  await runner.ready()
  const buffer = new ArrayBuffer(16)
  const first = endOf(runner.call('byteLength', [buffer], { transfer: [buffer] }))
  const second = endOf(runner.call('byteLength', [buffer], { transfer: [buffer] }))
  deepEqual(await within(5_000, first, HUNG), { value: 16 })
  equal(errorOf(await within(5_000, second, HUNG)).code, 'NOT_CLONEABLE')
})

/** With a function known to be short, so that calls of it are sent ahead, and a thread that has nothing else to do. */
async function warmRunner(t: TestContext, fn: 'uncloneableIf' | 'throwingGetterIf'): Promise<Runner<Functions>> {
  const runner = commonRunner(t, { threads: { max: 1 } })
  for (let i = 0; i < 100; i++) await Promise.all([runner.call(fn, [false, i]), runner.call('echo', [i])])
  return runner
}

function errorOf(end: { value: unknown } | { error: unknown } | undefined): CallError {
  ok(end && 'error' in end, 'the call ended well')
  ok(end.error instanceof CallError, `not a CallError: ${String(end.error)}`)
  return end.error
}

/** Of what kind a call's end is, and how it looks. */
function pictureOf(end: unknown): unknown {
  const { value, error } = end as { value?: unknown; error?: { code?: unknown; message?: unknown } }
  if (error) return [error.code, error.message]
  const tag = Object.prototype.toString.call(value)
  // Stacks tell where an error was made.
  const shown = value instanceof Error ? [value.name, value.message, value.cause] : inspect(value)
  return [tag, shown, (value as object | undefined)?.constructor?.name]
}

/** Counts the messages that this thread posts, until the test ends. */
function countPosts(t: TestContext): { count: number } {
  const counter = { count: 0 }
  const { postMessage } = MessagePort.prototype
  MessagePort.prototype.postMessage = function counted(this: MessagePort, ...args: Parameters<typeof postMessage>) {
    counter.count += 1
    postMessage.apply(this, args)
  }
  t.after(() => {
    MessagePort.prototype.postMessage = postMessage
  })
  return counter
}
