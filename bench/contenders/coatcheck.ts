import type * as coatcheck from '../../src/index.ts'
import type * as functions from '../functions/functions.js'
import { FUNCTIONS, type Contender, type ContenderOptions } from './contender.ts'

// The package as it is built: what users run.
const { createRunner } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof coatcheck

type Runner = coatcheck.Runner<typeof functions>

/** `call`: until the function has ended. */
export async function createWithCall(options: ContenderOptions): Promise<Contender> {
  const runner = await readyRunner(options)
  return {
    call: (fn, argument, transfer) => runner.call(fn, [argument] as never, transfer && { transfer }),
    close: () => runner.close(),
  }
}

/** `start` with a timeout: the value, or a ticket. */
export async function createWithStart(options: ContenderOptions): Promise<Contender> {
  const runner = await readyRunner(options)
  return {
    async call(fn, argument, transfer) {
      const more = transfer && { transfer }
      const status = await runner.start(fn, [argument] as never, { timeout: 10_000, ...more })
      if (!status.finished) throw new Error(`${fn} did not end in time`)
      if (!status.ok) throw status.error
      return status.value
    },
    close: () => runner.close(),
  }
}

async function readyRunner({ workers, concurrency = 1 }: ContenderOptions): Promise<Runner> {
  const runner = createRunner<typeof functions>({
    functions: FUNCTIONS,
    threads: { min: workers, max: workers, concurrency },
  })
  await runner.ready()
  return runner
}
