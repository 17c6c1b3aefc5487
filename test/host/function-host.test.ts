import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { FunctionHost, type HostChannel } from '../../src/host/function-host.ts'
import type { ToHost } from '../../src/protocol/messages.ts'

/** Writes down what the host does with it. What `look` finds is put there by the test. */
class FakeChannel implements HostChannel {
  readonly reach = 'threads'
  readonly mayReport = true
  readonly journal: string[] = []
  /** Messages that have arrived and that nobody was woken for. */
  readonly arrived: ToHost[] = []

  post(): void {}

  report(): void {}

  awaitReportable(): void {}

  claim(): boolean {
    return true
  }

  isAborted(): boolean {
    return false
  }

  end(): void {}

  leave(slot: number): boolean {
    this.journal.push(`left ${slot}`)
    return true
  }

  tell(): void {
    this.journal.push('told')
  }

  close(): void {
    this.journal.push('closed')
  }

  take(): undefined {}

  look(): ToHost | undefined {
    this.journal.push('looked')
    return this.arrived.shift()
  }

  rest(): boolean {
    return false
  }
}

interface SetUp {
  host: FunctionHost
  channel: FakeChannel
  journal: string[]
  /** Ends the call of `hold` that began first. */
  release: () => void
}

function setUp({ concurrency = 1 } = {}): SetUp {
  const channel = new FakeChannel()
  const { journal } = channel
  const held: (() => void)[] = []
  const functions = new Map<string, (slot: unknown) => unknown>([
    ['work', (slot) => void journal.push(`ran ${slot}`)],
    ['hold', (slot) => new Promise<void>((resolve) => held.push(resolve)).then(() => journal.push(`ran ${slot}`))],
  ])
  const host = new FunctionHost({ channel, functions, concurrency, logLevel: 'silent' })
  return { host, channel, journal, release: () => held.shift()?.() }
}

/** The message with calls of `fn`, each of which is told its slot. */
function run(fn: 'work' | 'hold', ...slots: number[]): ToHost {
  return { type: 'run', calls: slots.flatMap((slot) => [slot, 1, 0, fn, [slot], 0]), after: 0 }
}

/** Turns of the event loop until so much is written down: a host that was held up goes on in the next. */
async function written(journal: readonly string[], length: number): Promise<void> {
  while (journal.length < length) await setImmediate()
}

test('a host that has run its calls looks for more, and serves that too', async () => {
  const { host, channel, journal } = setUp()
  channel.arrived.push(run('work', 2), run('work', 3))
  host.receive(run('work', 1))
  await written(journal, 12)
  equal(journal.join(', '), 'ran 1, left 1, told, looked, ran 2, left 2, told, looked, ran 3, left 3, told, looked')
})

test('a host that finds more and more lets its event loop turn, and goes on', async () => {
  const { host, channel, journal } = setUp()
  const { promise: turned, resolve } = Promise.withResolvers<void>()
  // Like a runner that is always quicker; not for ever, so that the test ends whatever the host does.
  const giveUp = performance.now() + 5_000
  channel.look = () => (performance.now() < giveUp ? run('work', 2) : undefined)
  setTimeout(resolve, 0)
  host.receive(run('work', 1))
  await turned
  ok(performance.now() < giveUp, 'no timer fired while calls came')
  const ran = journal.length
  channel.look = () => undefined
  await setImmediate()
  ok(journal.length > ran)
})

test('a host looks for more only when all calls it has were run and told of', () => {
  const { host, journal } = setUp()
  host.receive(run('work', 1, 2, 3))
  equal(journal.filter((each) => each === 'looked').length, 1)
  equal(journal.at(-1), 'looked')
  deepEqual(journal.toSorted(), ['left 1', 'left 2', 'left 3', 'looked', 'ran 1', 'ran 2', 'ran 3', 'told'])
})

test('a host that is told to close when it looks for more closes', () => {
  const { host, channel, journal } = setUp()
  channel.arrived.push({ type: 'close' })
  host.receive(run('work', 1))
  deepEqual(journal.slice(0, 5), ['ran 1', 'left 1', 'told', 'looked', 'closed'])
})

test('a host does not look for more while an asynchronous call is under way, and does when it has ended', async () => {
  const { host, channel, journal, release } = setUp()
  channel.arrived.push(run('work', 2))
  host.receive(run('hold', 1))
  await setImmediate()
  deepEqual(journal, [])
  release()
  await written(journal, 8)
  deepEqual(journal, ['ran 1', 'left 1', 'told', 'looked', 'ran 2', 'left 2', 'told', 'looked'])
})

test('a host does not look for more while one of several asynchronous calls is under way', async () => {
  const { host, channel, journal, release } = setUp({ concurrency: 2 })
  channel.arrived.push(run('work', 4))
  host.receive(run('hold', 1, 2))
  release()
  await setImmediate()
  deepEqual(journal, ['ran 1', 'left 1', 'told'])
  // There is room for a call that returns at once.
  host.receive(run('work', 3))
  deepEqual(journal.slice(3), ['ran 3', 'left 3', 'told'])
  release()
  await written(journal, 14)
  deepEqual(journal.slice(6), ['ran 2', 'left 2', 'told', 'looked', 'ran 4', 'left 4', 'told', 'looked'])
})
