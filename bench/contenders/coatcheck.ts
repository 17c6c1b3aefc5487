import type * as coatcheck from '../../src/index.ts'
import type * as functions from '../functions/functions.js'
import { FUNCTIONS, type Contender, type ContenderOptions, type Tickets } from './contender.ts'

// The package as it is built: what users run.
const { createRunner } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof coatcheck

type Runner = coatcheck.Runner<typeof functions>
type RunnerOptions = Omit<coatcheck.RunnerOptions<typeof functions>, 'functions'>

/** `call`: until the function has ended. */
export async function createWithCall(options: ContenderOptions): Promise<Contender> {
  return contenderOf(await readyRunner(onThreads(options)))
}

/** `start` with a timeout: the value, or a ticket. */
export async function createWithStart(options: ContenderOptions): Promise<Contender> {
  const runner = await readyRunner(onThreads(options))
  return {
    ...contenderOf(runner),
    async call(fn, argument, transfer) {
      const more = transfer && { transfer }
      const status = await runner.start(fn, [argument] as never, { timeout: 10_000, ...more })
      if (!status.finished) throw new Error(`${fn} did not end in time`)
      if (!status.ok) throw status.error
      return status.value
    },
    tickets: ticketsOf(runner),
  }
}

/** A child process for each call, and as many of them kept ready as `spares` says. */
export async function createWithSpares(spares: number, { workers }: ContenderOptions): Promise<Contender> {
  const runner = await readyRunner({ isolation: 'process', processes: { max: workers, spares } })
  return { ...contenderOf(runner), ready: () => runner.ready() }
}

/** A child process that serves one call after another. */
export async function createWithReuse({ workers }: ContenderOptions): Promise<Contender> {
  const define = { noop: { reuse: 1_000_000 } }
  return contenderOf(await readyRunner({ isolation: 'process', processes: { max: workers, spares: workers }, define }))
}

function onThreads({ workers, concurrency = 1, kept }: ContenderOptions): RunnerOptions {
  return {
    threads: { min: workers, max: workers, concurrency },
    ...(kept !== undefined && { queueLimit: kept, retainLimit: kept }),
  }
}

async function readyRunner(options: RunnerOptions): Promise<Runner> {
  const runner = createRunner<typeof functions>({ functions: FUNCTIONS, ...options })
  await runner.ready()
  return runner
}

function contenderOf(runner: Runner): Contender {
  return {
    call: (fn, argument, transfer) => runner.call(fn, [argument] as never, transfer && { transfer }),
    begin(fn, argument) {
      const controller = new AbortController()
      const ended = runner.call(fn, [argument] as never, { signal: controller.signal, grace: 0 })
      return { ended, abort: () => controller.abort() }
    },
    close: () => runner.close(),
  }
}

function ticketsOf(runner: Runner): Tickets {
  return {
    async start(fn, argument, timeout) {
      const { id } = await runner.start(fn, [argument] as never, { timeout })
      if (id === undefined) throw new Error(`${fn} ended within its first wait`)
      return id
    },
    wait: async (id, timeout) => (await runner.wait(id, { timeout })).finished,
  }
}
