import { ThreadExecutor } from '../executors/threads/thread-executor.ts'
import { systemClock } from '../model/clock.ts'
import type { AnyFunctions } from '../model/functions.ts'
import { resolveOptions, type RunnerOptions } from '../model/options.ts'
import type { Runner } from '../model/runner.ts'
import { LocalRunner } from './local-runner.ts'

/**
 * Makes a runner for the functions of a module: `createRunner<typeof functions>({ functions: url })`.
 *
 * Its threads start at once; `ready()` tells when they can run. While it has calls under way it keeps the process
 * alive, and when it has none it does not.
 *
 * @throws TypeError or RangeError for an option that is not right, Error for a functions module that is not there.
 */
export function createRunner<F = AnyFunctions>(options: RunnerOptions<F>): Runner<F> {
  checkNode()
  const resolved = resolveOptions(options as RunnerOptions)
  const { functions, threads, define } = resolved
  return new LocalRunner<F>({
    options: resolved,
    clock: systemClock,
    createExecutor: (ports) => new ThreadExecutor({ functions, threads, expected: [...define.keys()] }, ports),
  })
}

function checkNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return
  throw new Error(`coatcheck needs Node 22.18 or later; this is ${process.version}`)
}
