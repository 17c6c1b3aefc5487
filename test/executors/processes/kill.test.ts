import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { monotonicNow } from '../../../src/model/clock.ts'
import {
  childrenOf,
  failure,
  failureOf,
  isAlive,
  killAfter,
  needsLinux,
  openDescriptors,
  ownSpawner,
  pidIn,
  processRunner,
  signposts,
  untilGone,
  untilReaped,
} from '../../fixtures/processes/harness.ts'
import { medianOf } from '../../helpers/median.ts'
import { watchWorkers, within } from '../../fixtures/threads/harness.ts'
import { until } from '../../helpers/latch.ts'
import { isShort } from '../../helpers/short.ts'

test('a busy loop is killed when its deadline and its grace are over', async (t) => {
  const runner = processRunner(t)
  const trail = signposts(t).trail()
  const began = performance.now()
  const error = await failure(runner.call('spin', [trail.path], { abortAfter: 100, grace: 100 }), 'DEADLINE_EXCEEDED')
  equal(error.step, 'killed')
  ok(performance.now() - began >= 195, 'it had its time and its grace')
  await untilGone(await pidIn(trail))
})

test('a process that ignores SIGTERM gets it, and is killed when its grace is over', async (t) => {
  const runner = processRunner(t)
  const trail = signposts(t).trail()
  const { id } = await runner.start('ignoreSignals', [trail.path], { timeout: 0 })
  const pid = await pidIn(trail)
  await runner.cancel(id, { grace: 300 })
  await until('SIGTERM', () => trail.read().includes('SIGTERM'))
  ok(isAlive(pid))
  equal(failureOf(await runner.wait(id, { timeout: Infinity }), 'ABORTED').step, 'killed')
  await untilGone(pid)
})

test('a process that ends at SIGTERM has ended by itself', async (t) => {
  const runner = processRunner(t)
  const trail = signposts(t).trail()
  const { id } = await runner.start('endOnSignal', [trail.path, 3], { timeout: 0 })
  await pidIn(trail)
  await runner.cancel(id, { grace: 60_000 })
  equal(failureOf(await runner.wait(id, { timeout: Infinity }), 'ABORTED').step, 'cooperative')
})

test('a busy loop that polls aborted hears of it, also right after it was sent', async (t) => {
  const runner = processRunner(t, { processes: { spares: 2 } })
  await runner.ready()
  const controller = new AbortController()
  const call = runner.call('spinUntilAborted', [], { signal: controller.signal, grace: 60_000 })
  // It was sent: what asks it to end goes right behind it.
  await new Promise((resolve) => setImmediate(resolve))
  controller.abort()
  const end = await call.catch((error: unknown) => error)
  // Or it was not sent yet, and was dropped.
  if (end !== 'heard') deepEqual([(end as Error & { step?: string }).step], ['queued'])
})

test('a process that was stopped is killed at its deadline', needsLinux, async (t) => {
  const runner = processRunner(t)
  const trail = signposts(t).trail()
  const error = await failure(runner.call('stop', [trail.path], { abortAfter: 100, grace: 50 }), 'DEADLINE_EXCEEDED')
  equal(error.step, 'killed')
  await untilGone(await pidIn(trail))
})

test(
  'what a killed call has started ends too: in its group, in a session of its own, and as an orphan',
  needsLinux,
  async (t) => {
    const runner = processRunner(t)
    const posts = signposts(t)
    for (const how of ['in its group', 'in a session of its own', 'of a process that has ended'] as const) {
      const trail = posts.trail()
      const { id } = await runner.start('startOther', [trail.path, how, 'hang'], { timeout: 0 })
      const other = await pidIn(trail)
      ok(isAlive(other), how)
      await runner.cancel(id, { grace: 0 })
      failureOf(await runner.wait(id, { timeout: Infinity }), 'ABORTED')
      await untilGone(other)
    }
  },
)

test('a call that succeeded leaves nothing running behind either', needsLinux, async (t) => {
  const runner = processRunner(t)
  const posts = signposts(t)
  for (const how of ['in its group', 'in a session of its own', 'of a process that has ended'] as const) {
    const other = await runner.call('startOther', [posts.trail().path, how, 'return'])
    await untilGone(other)
  }
})

test('nor does one whose process crashed', needsLinux, async (t) => {
  const runner = processRunner(t)
  const posts = signposts(t)
  for (const how of ['in its group', 'in a session of its own'] as const) {
    const trail = posts.trail()
    await failure(runner.call('startOther', [trail.path, how, 'crash']), 'WORKER_CRASHED')
    await untilGone(await pidIn(trail))
  }
})

test('what is in the group of a process ends with it, also where no sweep finds it', needsLinux, async (t) => {
  const commands = {
    leave: {
      command: ['sh', '-c', 'env -i sleep 1000 < /dev/null > /dev/null 2>&1 & echo $! > "$TRAIL"; echo 1'] as const,
      input: 'none' as const,
      env: { TRAIL: signposts(t).path() },
    },
  }
  const runner = processRunner(t, { commands })
  const posts = signposts(t)
  for (const then of ['return', 'crash'] as const) {
    const trail = posts.trail()
    await runner.start('startOther', [trail.path, 'in its group', then, { env: 'empty' }], { timeout: Infinity })
    const other = await pidIn(trail)
    killAfter(t, other)
    await untilGone(other)
  }
  equal(await runner.call('leave' as 'pid', []), 1)
  const other = Number(readFileSync(commands.leave.env.TRAIL, 'utf8'))
  killAfter(t, other)
  await untilGone(other)
})

test('a call that is asked to end has all in the group of its process asked', needsLinux, async (t) => {
  const runner = processRunner(t)
  const trail = signposts(t).trail()
  const { id } = await runner.start('startOther', [trail.path, 'in its group', 'hang'], { timeout: 0 })
  const other = await pidIn(trail)
  await runner.cancel(id, { grace: 600_000 })
  await untilGone(other)
  equal((await runner.wait(id, { timeout: 0 })).finished, false)
})

test('a call ends within 200 ms of its process, whoever goes on to hold its streams open', needsLinux, async (t) => {
  const runner = processRunner(t, { processes: { spares: 0 } })
  const posts = signposts(t)
  // No sweep finds it, so that nothing but the test ends it.
  const holder = { streams: 'shared', env: 'empty' } as const
  const took: number[] = []
  for (let i = 0; i < 5; i++) {
    const trail = posts.trail()
    const call = failure(
      runner.call('startOther', [trail.path, 'in a session of its own', 'crash', holder]),
      'WORKER_CRASHED',
    )
    const endedAt = call.then(monotonicNow)
    const other = await pidIn(trail)
    killAfter(t, other)
    took.push((await within(10_000, endedAt, 'the call does not end')) - Number(trail.read()[1]))
    ok(isAlive(other), 'it holds them still')
  }
  ok(medianOf(took) < 200, `ms: ${took.join(', ')}`)
})

test('the runner keeps no descriptor of a call whose streams somebody goes on to hold open', needsLinux, async (t) => {
  const runner = processRunner(t, { processes: { spares: 0 } })
  const isIdle = (): boolean => runner.stats().processes.size === 0
  equal(await runner.call('add', [1, 2]), 3)
  await until('no process', isIdle)
  const before = openDescriptors(process.pid)
  const holder = { streams: 'shared', env: 'empty' } as const
  const other = await runner.call('startOther', [signposts(t).path(), 'in a session of its own', 'return', holder])
  killAfter(t, other)
  await until('the descriptors', () => isIdle() && openDescriptors(process.pid) === before)
  ok(isAlive(other), 'it holds them still')
})

test('the end of a pool thread does nothing to a process, and leaves no zombie', needsLinux, async (t) => {
  const posts = signposts(t)
  const [latch, trail] = [posts.latch(), posts.trail()]
  const threads = watchWorkers(t)
  const runner = processRunner(t, { threads: { max: 1 }, define: { burn: { isolation: 'thread' } } })
  await runner.ready()
  const { id } = await runner.start('hold', [latch.path, 'unharmed'], { timeout: 0 })
  const busy = await runner.start('ignoreSignals', [trail.path], { timeout: 0 })
  const pid = await pidIn(trail)
  const spawner = await ownSpawner()
  for (let i = 0; i < 3; i++) {
    const error = await failure(runner.call('burn', [], { abortAfter: 20, grace: 0 }), 'DEADLINE_EXCEEDED')
    equal(error.step, 'killed')
    await until('the end of the thread', () => threads.made.length - threads.alive.size > i)
  }
  ok(isAlive(pid))
  latch.open()
  deepEqual(await runner.wait(id, { timeout: Infinity }), { finished: true, ok: true, value: 'unharmed', id })
  await runner.cancel(busy.id, { grace: 0 })
  equal(failureOf(await runner.wait(busy.id, { timeout: Infinity }), 'ABORTED').step, 'killed')
  await untilReaped(pid)
  await until('no zombie', () => ![process.pid, spawner].flatMap(childrenOf).some(({ state }) => state === 'Z'))
  // The processes were not started by the thread, nor is it missed.
  equal(await runner.call('add', [1, 2]), 3)
})

test('a result that races the deadline is one end, which all are told', async (t) => {
  const rounds = isShort ? 20 : 100
  const runner = processRunner(t, { processes: { max: 2, spares: 2 } })
  const finished = new Map<string, number>()
  const runTimes: number[] = []
  runner.on('finished', ({ id, runTime }) => {
    finished.set(id, (finished.get(id) ?? 0) + 1)
    runTimes.push(runTime / 1_000)
  })
  for (let i = 0; i < 3; i++) await runner.call('wait', [20, i])
  // As long as the function takes, and then a little less after a result, and a little more after a kill: the two meet.
  let deadline = medianOf(runTimes)
  const ends: string[] = []
  const side = async (first: number): Promise<void> => {
    for (let i = first; i < rounds; i += 2) {
      const { id } = await runner.start('wait', [20, i], { timeout: 0, abortAfter: deadline, grace: i % 3 })
      const statuses = await Promise.all([
        runner.wait(id, { timeout: Infinity }),
        runner.wait(id, { timeout: Infinity }),
        runner.wait(id, { timeout: Infinity }),
      ])
      const told = new Set(
        statuses.map((status) =>
          status.finished && status.ok ? `value ${String(status.value)}` : failureOf(status, 'DEADLINE_EXCEEDED').step,
        ),
      )
      equal(told.size, 1)
      ends.push(...(told as Set<string>))
      deadline *= ends.at(-1) === 'killed' ? 1.08 : 1 / 1.08
    }
  }
  await Promise.all([side(0), side(1)])
  const values = ends.filter((end) => end.startsWith('value')).length
  const kills = ends.filter((end) => end === 'killed').length
  equal(values + kills, rounds)
  // By far: what leads to one makes the other likelier.
  ok(values > rounds / 10 && kills > rounds / 10, `${values} results, ${kills} kills`)
  // No process is left that could end a call once more.
  await runner.close()
  deepEqual([finished.size, ...new Set(finished.values())], [rounds + 3, 1])
  const { total } = runner.stats()
  deepEqual([total.succeeded, total.failed], [values + 3, kills])
})
