import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import type { CallProgress } from '../../src/index.ts'
import type * as context from '../fixtures/threads/context.ts'
import type * as dynamic from '../fixtures/threads/dynamic.ts'
import { awaitLatch, createLatch, openLatch } from '../fixtures/threads/latch.ts'
import { endOf, runnerOf, within } from '../fixtures/threads/harness.ts'
import { until } from '../helpers/latch.ts'

type Context = typeof context
type Dynamic = typeof dynamic

const CONTEXT = new URL('../fixtures/threads/context.ts', import.meta.url)
const DYNAMIC = new URL('../fixtures/threads/dynamic.ts', import.meta.url)

test('a synchronous function finds its call', async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1 } })
  equal(await runner.call('fnNow', []), 'fnNow')
})

test('an asynchronous function finds its call before and after every await', async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1 } })
  deepEqual(await runner.call('fnLater', []), ['fnLater', 'fnLater', 'fnLater', 'fnLater'])
})

test('of 200 calls that run side by side each finds its own', async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1, concurrency: 8 } })
  const marks = new Map<string, Set<unknown>>()
  runner.on('progress', ({ id, progress }) => {
    const { mark } = progress as { mark: number }
    marks.set(id, (marks.get(id) ?? new Set()).add(mark))
  })
  await Promise.all(Array.from({ length: 200 }, (_, mark) => runner.call('steps', [mark, 4])))
  equal(marks.size, 200)
  for (const [id, seen] of marks) equal(seen.size, 1, `call ${id} was told of ${seen.size} calls' progress`)
})

test('synchronous and asynchronous calls side by side each find their own', async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1, concurrency: 4 } })
  const [started, release] = [createLatch(), createLatch()]
  const holding = runner.call('hold', [started, release])
  await awaitLatch(started)
  equal(await runner.call('fnNow', []), 'fnNow')
  deepEqual(await runner.call('fnLater', []), ['fnLater', 'fnLater', 'fnLater', 'fnLater'])
  openLatch(release)
  await holding
})

test('progress is in the status and in the event of its call', async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1, concurrency: 2 } })
  const events: CallProgress[] = []
  runner.on('progress', (event) => events.push(event))
  const release = createLatch()
  const [a, b] = await Promise.all([
    runner.start('progressAndHold', [{ part: 'a' }, release], { timeout: 0 }),
    runner.start('progressAndHold', [{ part: 'b' }, release], { timeout: 0 }),
  ])
  ok(!a.finished && !b.finished)
  const progressed = Promise.withResolvers<void>()
  runner.on('progress', () => {
    if (events.length === 2) progressed.resolve()
  })
  await within(5_000, progressed.promise, 'no progress comes')
  deepEqual(
    events.map(({ id, fn, progress }) => [id, fn, progress]).toSorted(),
    [
      [a.id, 'progressAndHold', { part: 'a' }],
      [b.id, 'progressAndHold', { part: 'b' }],
    ].toSorted(),
  )
  const status = await runner.wait(a.id, { timeout: 0 })
  ok(!status.finished)
  deepEqual([status.state, status.progress], ['running', { part: 'a' }])
  openLatch(release)
})

test('progress that cannot be cloned throws in the function', async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1 } })
  equal(await runner.call('progressUncloneable', []), 'DataCloneError: true')
})

test('the deadline is when the call will be aborted, and stays', async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1 } })
  await runner.ready()
  const before = Date.now()
  const at = await runner.call('deadline', [], { abortAfter: 5_000 })
  ok(at >= before + 4_999 && at <= Date.now() + 5_001, `${at - before} ms from the start`)
  const [first, second] = await runner.call('deadlineLater', [], { abortAfter: 5_000 })
  ok(Math.abs(first - second) <= 2, `${first} and then ${second}`)
  equal(await runner.call('deadline', []), Infinity)
})

test('currentCall() outside a call says that no call runs there', async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1 } })
  match(
    await runner.call('askedAtImport', []),
    /Error: currentCall\(\) must be called by a function.*no call is running/,
  )
})

test("a timer of the module's own is outside every call, also while one runs", async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1, concurrency: 2 } })
  const [started, release] = [createLatch(), createLatch()]
  const holding = runner.call('hold', [started, release])
  await awaitLatch(started)
  const before = (await runner.call('askedOutside', [])).length
  const asked = await until('ticks while the call is held', async () => {
    const all = await runner.call('askedOutside', [])
    return all.length >= before + 3 ? all : undefined
  })
  openLatch(release)
  await holding
  deepEqual(
    asked.filter((answer) => !answer.startsWith('Error')),
    [],
  )
  match(await runner.call('askOutside', []), /^Error: currentCall/)
})

test('what a call left behind does nothing to the calls after it', async (t) => {
  const runner = runnerOf<Context>(t, { functions: CONTEXT, threads: { max: 1 } })
  const progressed: unknown[] = []
  runner.on('progress', ({ progress }) => progressed.push(progress))
  await runner.call('keepCall', [])
  deepEqual(await runner.call('useKept', []), { fn: 'keepCall', aborted: false, signal: false })
  deepEqual(progressed, [])
})

test('a module that imports currentCall only inside its functions finds its call', async (t) => {
  const runner = runnerOf<Dynamic>(t, { functions: DYNAMIC, threads: { max: 1 } })
  deepEqual(await runner.call('fnDynamic', []), ['fnDynamic', 'fnDynamic'])
  deepEqual(await runner.call('fnDynamic', []), ['fnDynamic', 'fnDynamic'])
})

test('such a module is told, side by side with calls that began before, which import is missing', async (t) => {
  const runner = runnerOf<Dynamic>(t, { functions: DYNAMIC, threads: { max: 1, concurrency: 2 } })
  const [started, release] = [createLatch(), createLatch()]
  const holding = runner.call('hold', [started, release])
  await awaitLatch(started)
  const first = await endOf(runner.call('fnDynamic', []))
  ok('error' in first && first.error instanceof Error)
  match(first.error.message, /cannot tell which call this is: import 'coatcheck\/function' at the top/)
  // Calls that begin from now on are followed.
  deepEqual(await runner.call('fnDynamic', []), ['fnDynamic', 'fnDynamic'])
  openLatch(release)
  await holding
})

test('calls that begin after such an import each find their own, side by side', async (t) => {
  const runner = runnerOf<Dynamic>(t, { functions: DYNAMIC, threads: { max: 1, concurrency: 8 } })
  await runner.call('fnDynamic', [])
  const marks = new Map<string, Set<unknown>>()
  runner.on('progress', ({ id, progress }) => marks.set(id, (marks.get(id) ?? new Set()).add(progress)))
  await Promise.all(Array.from({ length: 50 }, (_, mark) => runner.call('progressDynamic', [mark])))
  equal(marks.size, 50)
  for (const seen of marks.values()) equal(seen.size, 1)
})
