import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallId, CallInfo, CallPage, ListOptions, Runner } from '../../src/index.ts'
import { until } from '../helpers/latch.ts'
import { begin, beginAll, end, onlyCall, untilProgress, untilRunning, valueOf } from './answers.ts'
import type { Calls, Suite } from './place.ts'

export function listRules(suite: Suite): void {
  test('a list that is read as a call ends does not show it if it is not kept', async (t) => {
    const { runner } = await suite.setUp(t)
    const pages: Promise<CallPage>[] = []
    runner.on('finished', () => pages.push(runner.list()))
    await runner.call('add', [1, 2])
    await until('the end', () => pages.length === 1)
    assert.deepEqual(await pages[0], { calls: [] })
  })

  test('a runner without calls lists none', async (t) => {
    const { runner } = await suite.setUp(t)
    assert.deepEqual(await runner.list(), { calls: [] })
    assert.deepEqual(await runner.list({}), { calls: [] })
  })

  test('calls are listed in the order of their admission, whatever their state', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    const finished = await begin(runner, 'add', [1, 2], { priority: 3 })
    await end(runner, finished)
    const running = await begin(runner, 'report', [['half'], latch.path])
    await untilProgress(runner, running, 'half')
    const queued = await begin(runner, 'echo', ['queued'], { priority: -3 })
    const before = Date.now()

    const { calls, cursor } = await runner.list()
    assert.equal(cursor, undefined)
    const [first, second, third] = calls
    assert.equal(calls.length, 3)
    assert.ok(first?.state === 'finished' && second?.state === 'running' && third?.state === 'queued')
    assertTimes([first.admittedAt, first.startedAt, first.finishedAt, second.admittedAt, second.startedAt], before)
    assertTimes([second.admittedAt, third.admittedAt], before)
    assert.deepEqual(without(first), { id: finished, fn: 'add', priority: 3, state: 'finished', ok: true })
    assert.deepEqual(without(second), { id: running, fn: 'report', priority: 0, state: 'running', progress: 'half' })
    assert.deepEqual(without(third), { id: queued, fn: 'echo', priority: -3, state: 'queued' })
    latch.open()
  })

  test('a failed call is listed as not ok, and one that never started without the time at which it did', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    const failed = await begin(runner, 'fail', ['builtIn'])
    await end(runner, failed)
    await begin(runner, 'hold', [latch.path])
    const dropped = await begin(runner, 'add', [1, 2])
    await runner.cancel(dropped)
    const { calls } = await runner.list({ state: 'finished' })
    assert.deepEqual(
      calls.map((call) => [call.id, call.state === 'finished' && call.ok, 'startedAt' in call]),
      [
        [failed, false, true],
        [dropped, false, false],
      ],
    )
    latch.open()
  })

  test('calls can be listed by state and by function', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    const sum = await begin(runner, 'add', [1, 2])
    await end(runner, sum)
    const echoed = await begin(runner, 'echo', ['x'])
    await end(runner, echoed)
    const held = await begin(runner, 'hold', [latch.path])
    await untilRunning(runner, held)
    const [waiting, alsoWaiting] = [await begin(runner, 'add', [1, 2]), await begin(runner, 'hold', [latch.path])]

    assert.deepEqual(await ids(runner, { state: 'finished' }), [sum, echoed])
    assert.deepEqual(await ids(runner, { state: 'running' }), [held])
    assert.deepEqual(await ids(runner, { state: 'queued' }), [waiting, alsoWaiting])
    assert.deepEqual(await ids(runner, { fn: 'add' }), [sum, waiting])
    assert.deepEqual(await ids(runner, { fn: 'hold' }), [held, alsoWaiting])
    assert.deepEqual(await ids(runner, { fn: 'add', state: 'queued' }), [waiting])
    assert.deepEqual(await ids(runner, { fn: 'addLater' }), [])
    latch.open()
  })

  test('a call whose ID was given out by list can be asked for after its end', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    const latch = posts.latch()
    const answer = runner.call('hold', [latch.path, 'found'])
    const id = await onlyCall(runner)
    latch.open()
    assert.equal(await answer, 'found')
    assert.equal(valueOf(await end(runner, id)), 'found')
  })

  test('pages give every call once, in order, and the last has no cursor', async (t) => {
    const { runner } = await suite.setUp(t)
    const all = await finishedCalls(runner, 10)
    const pages = await readPages(runner, { limit: 4 })
    assert.deepEqual(
      pages.map((page) => page.map(({ id }) => id)),
      [all.slice(0, 4), all.slice(4, 8), all.slice(8)],
    )
    assert.equal((await readPages(runner, { limit: 5 })).length, 2)
    assert.equal((await readPages(runner, { limit: 10 })).length, 1)
    assert.equal((await readPages(runner, { limit: 1 })).length, 10)
  })

  test('pages can be of one state or function', async (t) => {
    const { runner, posts } = await suite.setUp(t, { atOnce: 1 })
    const latch = posts.latch()
    await begin(runner, 'hold', [latch.path])
    const sums: CallId[] = []
    for (let i = 0; i < 8; i++) {
      sums.push(await begin(runner, 'add', [i, 0]))
      if (i % 2) await begin(runner, 'echo', [i])
    }
    const pages = await readPages(runner, { fn: 'add', state: 'queued', limit: 3 })
    assert.deepEqual(
      pages.flat().map(({ id }) => id),
      sums,
    )
    assert.deepEqual(
      pages.map(({ length }) => length),
      [3, 3, 2],
    )
    latch.open()
  })

  test('calls that are admitted, or gone, while pages are read do no harm to the others', async (t) => {
    const { runner } = await suite.setUp(t)
    const all = await finishedCalls(runner, 9)
    const first = await runner.list({ limit: 3 })
    assert.ok(first.cursor !== undefined)
    const more = await finishedCalls(runner, 2)
    // The one where the page ended, and one of the next page.
    await runner.forget(all[2] as CallId)
    await runner.forget(all[4] as CallId)
    const rest = await runner.list({ cursor: first.cursor, limit: 100 })
    assert.equal(rest.cursor, undefined)
    assert.deepEqual(
      rest.calls.map(({ id }) => id),
      [all[3], ...all.slice(5), ...more],
    )
  })

  test('a list gives 100 calls when limit is left out', async (t) => {
    const { runner, posts } = await suite.setUp(t)
    // Most of them never begin: where each has a process, so many would take long.
    const latch = posts.latch()
    const all = await beginAll(
      runner,
      'hold',
      Array.from({ length: 103 }, () => [latch.path] as const),
    )
    const first = await runner.list()
    assert.equal(first.calls.length, 100)
    assert.ok(first.cursor !== undefined)
    const rest = await runner.list({ cursor: first.cursor })
    assert.deepEqual(
      rest.calls.map(({ id }) => id),
      all.slice(100),
    )
    assert.equal((await runner.list({ limit: 10_000 })).calls.length, 103)
  })
}

async function ids(runner: Runner<Calls>, options: ListOptions): Promise<CallId[]> {
  const { calls } = await runner.list(options)
  return calls.map(({ id }) => id)
}

async function finishedCalls(runner: Runner<Calls>, count: number): Promise<CallId[]> {
  const begun = await beginAll(
    runner,
    'add',
    Array.from({ length: count }, (_, i) => [i, 0] as const),
  )
  await Promise.all(begun.map((id) => end(runner, id)))
  return begun
}

async function readPages(runner: Runner<Calls>, options: ListOptions): Promise<CallInfo[][]> {
  const pages: CallInfo[][] = []
  for (let cursor: string | undefined; pages.length === 0 || cursor !== undefined;) {
    const page = await runner.list({ ...options, ...(cursor !== undefined && { cursor }) })
    pages.push(page.calls)
    cursor = page.cursor
  }
  return pages
}

/** The row without its times. */
function without(info: CallInfo): Record<string, unknown> {
  return Object.fromEntries(Object.entries(info).filter(([key]) => !key.endsWith('At')))
}

/** Unix time in milliseconds, each not before the one ahead of it, all of them just now. */
function assertTimes(times: (number | undefined)[], now: number): void {
  for (const [i, time] of times.entries()) {
    assert.ok(typeof time === 'number' && Math.abs(now - time) < 60_000, `${time} is about ${now}`)
    // Two clocks are read, which are a millisecond apart at most.
    assert.ok(i === 0 || time >= (times[i - 1] as number) - 1, times.join(', '))
  }
}
