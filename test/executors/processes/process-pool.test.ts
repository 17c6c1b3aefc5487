import { deepEqual, equal, ok } from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { ProcessPlace } from '../../../src/executors/children/attempt.ts'
import type { Job, JobEnd } from '../../../src/executors/executor.ts'
import { FunctionProcess } from '../../../src/executors/processes/function-process.ts'
import { ProcessPool } from '../../../src/executors/processes/process-pool.ts'
import type { RunnerLogger } from '../../../src/executors/runner-logger.ts'
import { RETURNED } from '../../../src/protocol/messages.ts'
import { STREAMS } from '../../../src/protocol/process-messages.ts'
import { FakeChild } from '../../fixtures/processes/fake-child.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'

interface Options {
  spares: number
  reusable: number
  reuse: number
}

/** A pool whose processes are a test's to play. */
class Playground {
  readonly clock = new FakeClock()
  readonly children: FakeChild[] = []
  readonly ends: { job: Job; end: JobEnd }[] = []
  readonly pool: ProcessPool<Job>
  onEnd: (job: Job) => void = () => {}
  /** Whether those that are ready read nothing more. */
  deaf = false

  constructor({ spares, reusable, reuse }: Options) {
    const { clock } = this
    this.pool = new ProcessPool<Job>({
      owner: {
        listener: { wantsStarted: false, sent() {}, started() {}, progress() {}, log() {}, ended() {} },
        jobEnded: (job, end) => {
          this.ends.push({ job, end })
          this.onEnd(job)
        },
        functionsKnown() {},
      },
      clock,
      spares,
      reusable,
      onFailure() {},
      create: (owner) =>
        new FunctionProcess<Job>({
          owner,
          clock,
          logger: {} as RunnerLogger,
          spawn: async () => {
            const child = new FakeChild(1_000 + this.children.length, STREAMS)
            this.children.push(child)
            return child.remote
          },
          functions: 'file:///functions.js',
          logLevel: 'silent',
          resultLimit: 1_000,
          startTimeout: 60_000,
          reuse,
        }),
    })
  }

  add(transfer?: ArrayBuffer[], args: unknown[] = []): Job {
    const job: Job = { fn: 'work', args, transfer, abortAfter: Infinity, place: new ProcessPlace() }
    this.pool.add(job)
    return job
  }

  /** Makes the process of that number ready, which has been started. */
  async ready(index: number): Promise<FakeChild> {
    await this.settle()
    const child = this.children[index]
    if (!child) throw new Error(`there are ${this.children.length} processes`)
    if (this.deaf) child.stopReading()
    child.answer({ type: 'ready', functions: ['work'] })
    await this.settle()
    return child
  }

  async settle(): Promise<void> {
    // Streams pass on what they have in turns of the event loop.
    for (let i = 0; i < 5; i++) await this.clock.settle()
  }
}

const returned = { type: 'result', kind: RETURNED, value: 1, endedAt: 0 } as const

describe('processes that serve many calls', () => {
  test('are let go when a burst of calls has been over for ten seconds, but for the spares', async () => {
    const play = new Playground({ spares: 1, reusable: 4, reuse: 100 })
    for (let i = 0; i < 3; i++) play.add()
    for (let i = 0; i < 3; i++) await play.ready(i)
    for (const child of play.children) child.answer(returned)
    await play.settle()
    // No spare beside them: they come back.
    deepEqual([play.ends.length, play.children.length], [3, 3])

    await play.clock.advance(9_999)
    deepEqual(
      play.children.map(({ isDismissed }) => isDismissed),
      [false, false, false],
    )
    await play.clock.advance(1)
    // The one that worked last is kept.
    deepEqual(
      play.children.map(({ isDismissed }) => isDismissed),
      [true, true, false],
    )
    deepEqual(
      play.children.map(({ signals }) => signals.length),
      [1, 1, 0],
    )

    for (const child of play.children) if (child.isDismissed) child.exit(0, null)
    await play.clock.advance(100_000)
    equal(play.pool.size, 1)
    play.add()
    await play.settle()
    play.children[2]?.answer(returned)
    await play.settle()
    deepEqual([play.ends.length, play.children.length], [4, 3], 'what was let go is not missed')
  })

  test('take the next call in the turn after the one before it has ended, and none is started for it', async () => {
    const play = new Playground({ spares: 1, reusable: 4, reuse: 100 })
    play.add()
    const child = await play.ready(0)
    const sentAtOnce: boolean[] = []
    play.onEnd = (job) => {
      if (sentAtOnce.length > 0) return
      const next = play.add()
      sentAtOnce.push((next.place as ProcessPlace).attempt !== undefined)
      equal(job.place, undefined)
    }
    child.answer(returned)
    await play.settle()
    deepEqual(sentAtOnce, [false])
    deepEqual([child.heard.length, play.children.length], [3, 1])
  })
})

describe('spares', () => {
  const atOnce = Math.max(1, availableParallelism() >> 1)

  test('start on half of the processors, one after another', async () => {
    const play = new Playground({ spares: atOnce + 2, reusable: 0, reuse: 1 })
    play.pool.fill()
    for (let ready = 0; ready < atOnce + 2; ready++) {
      await play.settle()
      equal(play.children.length, Math.min(atOnce + ready, atOnce + 2))
      await play.ready(ready)
    }
  })

  test('do not hold up those that start for calls', async () => {
    const play = new Playground({ spares: 1, reusable: 0, reuse: 1 })
    for (let i = 0; i < atOnce + 3; i++) play.add()
    await play.settle()
    equal(play.children.length, atOnce + 3)
  })
})

describe('a job whose process ends before it has begun', () => {
  const lose = async (play: Playground, index: number): Promise<void> => {
    const child = await play.ready(index)
    equal(child.heard.at(-1)?.type, 'run')
    child.exit(null, 'SIGKILL')
    await play.settle()
  }

  test('runs in another one', async () => {
    const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
    const job = play.add()
    await lose(play, 0)
    equal(play.ends.length, 0)
    const second = await play.ready(1)
    second.answer({ type: 'started', at: 0 })
    second.answer(returned)
    await play.settle()
    deepEqual(play.ends, [{ job, end: { type: 'returned', value: 1 } }])
  })

  test('runs in one that is idle, if there is one', async () => {
    const play = new Playground({ spares: 1, reusable: 0, reuse: 1 })
    play.pool.fill()
    await play.ready(0)
    const job = play.add()
    const spare = await play.ready(1)
    play.children[0]?.exit(null, 'SIGKILL')
    await play.settle()
    equal(spare.heard.at(-1)?.type, 'run')
    equal((job.place as ProcessPlace).attempt?.pid, spare.pid)
  })

  test('is given up with the second', async () => {
    const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
    const job = play.add()
    await lose(play, 0)
    await lose(play, 1)
    await play.clock.advance(100_000)
    equal(play.children.length, 2)
    const [first, ...others] = play.ends
    deepEqual(others, [])
    ok(first?.job === job && first.end.type === 'failed')
    const { code, started, retryable, signal } = first.end.error
    deepEqual([code, started, retryable, signal], ['WORKER_CRASHED', 'no', true, 'SIGKILL'])
    equal(job.place, undefined)
  })

  test('is given up with the first when what was moved with it is lost', async () => {
    const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
    play.add([new ArrayBuffer(8)])
    await lose(play, 0)
    await play.clock.advance(100_000)
    equal(play.children.length, 1)
    deepEqual(
      play.ends.map(({ end }) => end.type),
      ['failed'],
    )
  })
})

describe('a process that has not told that its job began', () => {
  test('is ended after five seconds, and the job runs in another', async () => {
    const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
    play.add()
    const child = await play.ready(0)
    await play.clock.advance(4_999)
    deepEqual(child.signals, [])
    await play.clock.advance(2)
    await play.settle()
    deepEqual(child.signals, ['SIGKILL'])
    child.exit(null, 'SIGKILL')
    await play.settle()
    equal(play.children.length, 2)
  })

  test('is ended as well when it does not read its request', async () => {
    const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
    play.deaf = true
    play.add(undefined, [new Uint8Array(1_000_000)])
    const child = await play.ready(0)
    await play.clock.advance(6_000)
    await play.settle()
    deepEqual(child.signals, ['SIGKILL'])
  })

  test('goes on when it has told and was not heard yet, because the host was busy', async () => {
    const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
    play.add()
    const child = await play.ready(0)
    child.answer({ type: 'started', at: 0 })
    // Timers come first.
    void play.clock.advance(10_000)
    await play.settle()
    deepEqual(child.signals, [])
  })
})

test('a job that is cancelled while its process is killed for being held up does not run in another', async () => {
  const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
  const job = play.add()
  const child = await play.ready(0)
  await play.clock.advance(5_001)
  await play.settle()
  deepEqual(child.signals, ['SIGKILL'])
  ok(job.place instanceof ProcessPlace)
  job.place.attempt?.interrupt({ name: 'AbortError', message: 'no longer wanted' })
  child.exit(null, 'SIGKILL')
  await play.settle()
  equal(play.children.length, 1)
  deepEqual(
    play.ends.map(({ end }) => end.type === 'failed' && end.byItself),
    [true],
  )
})

describe('a process that closes its answers', () => {
  const closing = async (): Promise<{ play: Playground; child: FakeChild }> => {
    const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
    play.add()
    const child = await play.ready(0)
    child.answer({ type: 'started', at: 0 })
    await play.settle()
    child.closeAnswers()
    await play.settle()
    deepEqual(child.signals, [])
    await play.clock.advance(200)
    await play.settle()
    deepEqual(child.signals, ['SIGKILL'])
    return { play, child }
  }
  const codes = (play: Playground): unknown[] => play.ends.map(({ end }) => end.type === 'failed' && end.error.code)

  test('breaks the rules when it goes on', async () => {
    const { play, child } = await closing()
    child.exit(null, 'SIGKILL')
    await play.settle()
    deepEqual(codes(play), ['PROTOCOL_ERROR'])
  })

  test('breaks them as well when not even a kill ends it', async () => {
    const { play } = await closing()
    await play.clock.advance(1_000)
    deepEqual(codes(play), ['PROTOCOL_ERROR'])
  })

  test('counts as one that starts until its end is known, so that no other takes its place before', async () => {
    const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
    play.add()
    await play.settle()
    const [child] = play.children
    child?.closeAnswers()
    await play.settle()
    await play.clock.advance(200)
    await play.settle()
    deepEqual([child?.signals, play.children.length], [['SIGKILL'], 1])
  })

  test('crashed when the news of its end were only late', async () => {
    const { play, child } = await closing()
    child.exit(null, 'SIGSEGV')
    await play.settle()
    deepEqual(codes(play), ['WORKER_CRASHED'])
  })

  test('is not killed when its end has arrived and was not heard yet, because the host was busy', async () => {
    const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
    play.add()
    const child = await play.ready(0)
    child.answer({ type: 'started', at: 0 })
    child.closeAnswers()
    await play.settle()
    // Timers come first.
    const late = play.clock.advance(10_000)
    child.exit(null, 'SIGSEGV')
    await late
    await play.settle()
    deepEqual(child.signals, [])
    deepEqual(codes(play), ['WORKER_CRASHED'])
  })
})

test('a job that is killed ends within a second, also when its process does not', async () => {
  const play = new Playground({ spares: 0, reusable: 0, reuse: 1 })
  const job = play.add()
  const child = await play.ready(0)
  child.answer({ type: 'started', at: 0 })
  await play.settle()
  ok(job.place instanceof ProcessPlace)
  job.place.attempt?.kill()
  deepEqual(child.signals, ['SIGKILL'])
  await play.clock.advance(999)
  deepEqual(play.ends, [])
  await play.clock.advance(1)
  deepEqual(play.ends, [{ job, end: { type: 'killed' } }])
  // Its end is no news when it comes after all.
  child.exit(null, 'SIGKILL')
  await play.clock.advance(100_000)
  equal(play.ends.length, 1)
  equal(play.children.length, 1)
})
