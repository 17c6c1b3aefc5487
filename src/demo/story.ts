import { findPackageJSON } from 'node:module'
import { basename, dirname, extname } from 'node:path'
import {
  CallError,
  createRunner,
  type CallFinished,
  type CallId,
  type CallStatus,
  type Runner,
  type TimeStats,
} from '../index.ts'
import { ProgressBar } from '../terminal/progress-bar.ts'
import type * as functions from './functions.ts'
import { count, megabytes, microseconds, milliseconds, Narration } from './narration.ts'

type DemoRunner = Runner<typeof functions>

// What the demo works on, wherever it is installed: the packages beside its own dependencies.
const piscina = dirname(findPackageJSON('piscina', import.meta.url) ?? '')
const nodeModules = dirname(piscina)

/** The first run: five things that a runner does, on files that are there. */
export async function tellStory(): Promise<void> {
  const start = performance.now()
  const narration = new Narration(process.stdout)
  narration.say('coatcheck runs functions on worker threads.')
  narration.say('A call that is not done in time gives you a ticket, and you come back with it.')

  const runner = createRunner<typeof functions>({
    functions: new URL(`./functions${extname(import.meta.url)}`, import.meta.url),
    handleSignals: true,
  })
  try {
    await runner.ready()
    await endInTime(runner, narration)
    await comeBackWithTheTicket(runner, narration)
    await fireAndForget(runner, narration)
    await cancelBusyLoop(runner, narration)
    await makeManySmallCalls(runner, narration)
    narration.gap()
    narration.say(`That was all, in ${((performance.now() - start) / 1_000).toFixed(1)} s. README.md tells the rest.`)
  } catch (error) {
    if (!isInterruption(error)) throw error
    narration.gap()
    narration.say('Interrupted: the calls under way are aborted, and the threads end.')
  } finally {
    await runner.close()
  }
}

async function endInTime(runner: DemoRunner, narration: Narration): Promise<void> {
  const file = `${piscina}/README.md`
  narration.step('A call that ends in time', 'It is answered with its value.')

  narration.code(`await runner.start('countWords', ['piscina/README.md'], { timeout: 5_000 })`)
  const status = await runner.start('countWords', [file], { timeout: 5_000 })
  narration.result(`finished: ${count(valueOf(status))} words`)
}

async function comeBackWithTheTicket(runner: DemoRunner, narration: Narration): Promise<void> {
  narration.step('A call that does not', 'It is answered with its ID. With that you wait again, as often as you like.')

  narration.code(`await runner.start('compress', ['node_modules', 3_000], { timeout: 200 })`)
  let status = await runner.start('compress', [nodeModules, 3_000], { timeout: 200 })
  if (!status.finished) {
    narration.result(`not finished; its ID is ${status.id}`)
    narration.code(`await runner.wait(id, { timeout: 100 })   // again and again`)
  }

  const bar = new ProgressBar(process.stdout)
  let waits = 0
  while (!status.finished) {
    showProgress(bar, status.progress as functions.Compressed | undefined)
    status = await runner.wait(status.id, { timeout: 100 })
    waits += 1
  }
  if (status.ok) showProgress(bar, status.value)
  bar.end()

  const { files, bytesBefore, bytesAfter } = valueOf(status)
  const sizes = `${megabytes(bytesBefore)} became ${megabytes(bytesAfter)}`
  narration.result(`finished after ${waits} waits: ${count(files)} files, ${sizes}`)
}

function showProgress(bar: ProgressBar, progress: functions.Compressed | undefined): void {
  if (progress) bar.show(progress.share, `${count(progress.files)} files`)
}

async function fireAndForget(runner: DemoRunner, narration: Narration): Promise<void> {
  const file = process.execPath
  narration.step('Fire and forget', 'A timeout of 0 does not wait at all. The result is kept until you ask for it.')

  const finished = new Promise<CallFinished>((resolve) => runner.once('finished', resolve))
  narration.code(`await runner.start('checksum', ['${basename(file)}'], { timeout: 0 })`)
  const handedInAt = performance.now()
  const id = idOf(await runner.start('checksum', [file], { timeout: 0 }))
  narration.result(`answered after ${milliseconds(performance.now() - handedInAt)}, while the function goes on`)

  narration.code(`runner.once('finished', (event) => ...)`)
  const event = await finished
  narration.result(`"${event.fn}" has ended, after ${milliseconds(performance.now() - handedInAt)}`)

  narration.code(`await runner.wait(id, { timeout: 0 })`)
  const status = await runner.wait<string>(id, { timeout: 0 })
  narration.result(`finished: ${valueOf(status)}`)
}

async function cancelBusyLoop(runner: DemoRunner, narration: Narration): Promise<void> {
  narration.step(
    'A busy loop, cancelled',
    'It is asked to end, and does not listen. After the grace time its thread is killed and replaced.',
  )

  narration.code(`await runner.start('spin', [], { timeout: 200 })   // for (;;);`)
  const id = idOf(await runner.start('spin', [], { timeout: 200 }))
  const [, thread] = id.split(':')
  narration.result(`not finished: it keeps thread ${thread} busy`)

  narration.code(`await runner.cancel(id, { reason: 'no longer needed', grace: 500 })`)
  const cancelledAt = performance.now()
  await runner.cancel(id, { reason: 'no longer needed', grace: 500 })
  const end = await runner.wait(id)
  if (end.finished && !end.ok) {
    const { code, step } = end.error
    narration.result(`${code}, step "${step}", after ${milliseconds(performance.now() - cancelledAt)}`)
  }

  narration.code(`await runner.call('ownThread', [])`)
  narration.result(`the next call ran on thread ${await runner.call('ownThread', [])}`)
}

async function makeManySmallCalls(runner: DemoRunner, narration: Narration): Promise<void> {
  const numbers = Array.from({ length: 10_000 }, (_, i) => i)
  narration.step('10,000 small calls', 'They are handed in at once, and travel to the threads in batches.')

  for (const round of ['first', 'second']) {
    narration.code(`await Promise.all(numbers.map((n) => runner.call('add', [n, 1])))`)
    const start = performance.now()
    await Promise.all(numbers.map((n) => runner.call('add', [n, 1])))
    const ms = performance.now() - start
    const rate = count((numbers.length / ms) * 1_000)
    narration.result(`the ${round} 10,000, in ${milliseconds(ms)}: ${rate} calls a second`)
  }

  narration.code('runner.stats()')
  const { queueTime, runTime, threads } = runner.stats()
  narration.result(`time in the queue: ${percentiles(queueTime)}`)
  narration.result(`time on one of ${threads.size} threads: ${percentiles(runTime)}`)
}

function percentiles({ p50, p99 }: TimeStats): string {
  return `p50 ${microseconds(p50)}, p99 ${microseconds(p99)}`
}

/** The ID of a call that cannot have ended yet, unless a signal has ended it. */
function idOf(status: CallStatus): CallId {
  if (status.finished && !status.ok) throw status.error
  if (status.id === undefined) throw new Error('the call has ended in its first wait, so it has no ID')
  return status.id
}

function valueOf<T>(status: CallStatus<T>): T {
  if (!status.finished) throw new Error(`the call is still ${status.state}`)
  if (!status.ok) throw status.error
  return status.value
}

/** Whether this is how calls end when a signal has closed the runner. */
function isInterruption(error: unknown): boolean {
  return error instanceof CallError && (error.code === 'ABORTED' || error.code === 'RUNNER_CLOSED')
}
