import type { Executor, ExecutorPorts } from '../executors/executor.ts'
import { checkEnforceable } from '../executors/processes/enforceable.ts'
import { ProcessExecutor } from '../executors/processes/process-executor.ts'
import { ThreadExecutor } from '../executors/threads/thread-executor.ts'
import { systemClock } from '../model/clock.ts'
import type { AnyFunctions } from '../model/functions.ts'
import { resolveOptions, type ResolvedOptions, type RunnerOptions } from '../model/options.ts'
import type { ResolvedProcess } from '../model/process-options.ts'
import type { Runner } from '../model/runner.ts'
import type { Call } from '../table/call.ts'
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
  checkEnforceable(resolved)
  return new LocalRunner<F>({
    options: resolved,
    clock: systemClock,
    createExecutor: (isolation, ports) =>
      isolation === 'thread' ? createThreads(resolved, ports) : createProcesses(resolved, ports),
  })
}

function createThreads({ functions, threads, define }: ResolvedOptions, ports: ExecutorPorts<Call>): Executor<Call> {
  return new ThreadExecutor({ functions, threads, expected: [...define.keys()] }, ports)
}

function createProcesses(options: ResolvedOptions, ports: ExecutorPorts<Call>): Executor<Call> {
  const { functions, processes, define, commands, others } = options
  const processOf = (fn: string): ResolvedProcess | undefined => (define.get(fn) ?? others).process
  const kinds = new Set([others, ...define.values()].flatMap(({ process }) => process ?? []))
  return new ProcessExecutor({ functions, processes, expected: [...define.keys()], processOf, kinds, commands }, ports)
}

function checkNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return
  throw new Error(`coatcheck needs Node 22.18 or later; this is ${process.version}`)
}
