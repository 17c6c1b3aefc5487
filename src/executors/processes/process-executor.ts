import pTimeout from 'p-timeout'
import type { Clock } from '../../model/clock.ts'
import { setImmediate as eventsHandled } from 'node:timers/promises'
import { functionNotFound } from '../../model/errors.ts'
import type { ResolvedCommand, ResolvedProcess, ResolvedProcessesOptions } from '../../model/process-options.ts'
import type { AbortCause } from '../../protocol/messages.ts'
import { STREAMS } from '../../protocol/process-messages.ts'
import { placeOf, ProcessPlace } from '../children/attempt.ts'
import { SpawnerClient } from '../children/spawner-client.ts'
import { CommandProcess } from '../commands/command-process.ts'
import type {
  Executor,
  ExecutorPorts,
  ExecutorStats,
  Job,
  JobEnd,
  JobListener,
  JobSource,
  JobTimes,
} from '../executor.ts'
import { checkExpected } from '../expected-functions.ts'
import { logLevelOf } from '../log-level.ts'
import type { RunnerLogger } from '../runner-logger.ts'
import { FunctionProcess } from './function-process.ts'
import { nodeCommand } from './node-command.ts'
import { ProcessPool, type PoolOwner } from './process-pool.ts'

export interface ProcessExecutorOptions {
  /** The functions module. */
  functions: URL
  /** Names of which options are given: functions that have to be there. */
  expected: readonly string[]
  processes: ResolvedProcessesOptions
  /** How the processes of functions are made: one object for all that share their spares. */
  kinds: Iterable<ResolvedProcess>
  /** The kind of a function's process; undefined for one that does not run here. */
  processOf: (fn: string) => ResolvedProcess | undefined
  commands: ReadonlyMap<string, ResolvedCommand>
}

/** Milliseconds for the processes to end at `close`, when no call is under way. */
const CLOSE_WITHIN = 5_000

/** Runs each job in a child process of its own: a function in one that is made ready ahead, or a command. */
export class ProcessExecutor<J extends Job> implements Executor<J>, PoolOwner<J> {
  readonly listener: JobListener<J>
  functions: ReadonlySet<string> | undefined
  readonly #options: ProcessExecutorOptions
  readonly #source: JobSource<J>
  readonly #clock: Clock
  readonly #logger: RunnerLogger
  readonly #spawner = new SpawnerClient()
  readonly #pools = new Map<ResolvedProcess, ProcessPool<J>>()
  readonly #commands = new Set<CommandProcess<J>>()
  readonly #running = new Set<J>()
  #dispatchPlanned = false
  #waitingForReady = 0
  #isClosing = false

  constructor(options: ProcessExecutorOptions, { source, listener, clock, logger }: ExecutorPorts<J>) {
    this.#options = options
    this.#source = source
    this.listener = listener
    this.#clock = clock
    this.#logger = logger
    for (const kind of options.kinds) this.#pools.set(kind, this.#createPool(kind))
    for (const pool of this.#pools.values()) pool.fill()
  }

  get capacity(): number {
    return this.#options.processes.max
  }

  wake(): void {
    if (this.#dispatchPlanned) return
    this.#dispatchPlanned = true
    process.nextTick(() => this.#dispatch())
  }

  /** Sockets are read by the event loop alone, which may have come to its timers first. */
  async look(): Promise<void> {
    await eventsHandled()
  }

  revoke(job: J): boolean {
    const place = placeOf(job)
    if (!place || place.attempt || !this.#poolOf(job.fn)?.remove(job)) return false
    this.#left(job)
    return true
  }

  interrupt(job: J, cause: AbortCause): void {
    placeOf(job)?.attempt?.interrupt(cause)
  }

  kill(job: J): void {
    placeOf(job)?.attempt?.kill()
  }

  async ready(): Promise<void> {
    this.#waitingForReady += 1
    this.#keepAlive()
    try {
      await this.#spawner.start()
      await Promise.all(Array.from(this.#pools.values(), (pool) => pool.ready()))
    } finally {
      this.#waitingForReady -= 1
      this.#keepAlive()
    }
  }

  stats(): ExecutorStats {
    let size = this.#commands.size
    for (const pool of this.#pools.values()) size += pool.size
    return { size, busy: this.#running.size }
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#keepAlive()
    const gone = Promise.all([
      ...Array.from(this.#pools.values(), (pool) => pool.close()),
      ...Array.from(this.#commands, (command) => command.gone),
    ])
    // A spawner that was stopped tells of nothing any more. It takes along what is left when it ends.
    await pTimeout(gone, {
      milliseconds: CLOSE_WITHIN,
      fallback: () => this.#logger.warn('a process does not end: its spawner does not react'),
    })
    await this.#spawner.close()
  }

  // From the pools

  functionsKnown(functions: readonly string[]): void {
    checkExpected(this.#options.expected, functions)
    this.functions ??= new Set(functions)
  }

  jobEnded(job: J, end: JobEnd, times?: JobTimes): void {
    this.#left(job)
    this.listener.ended(job, end, times)
    this.wake()
  }

  #dispatch(): void {
    this.#dispatchPlanned = false
    while (this.#running.size < this.capacity) {
      const job = this.#source.take()
      if (!job) break
      this.#begin(job)
    }
    this.#keepAlive()
  }

  /** What is only kept ready does not keep the process alive. */
  #keepAlive(): void {
    this.#spawner.keepAlive(this.#running.size > 0 || this.#waitingForReady > 0 || this.#isClosing)
  }

  #begin(job: J): void {
    this.#running.add(job)
    const place = new ProcessPlace()
    job.place = place
    const command = this.#options.commands.get(job.fn)
    if (command) place.attempt = this.#startCommand(job, command)
    else if (this.functions && !this.functions.has(job.fn)) {
      this.jobEnded(job, { type: 'failed', error: functionNotFound(job.fn, this.functions) })
      return
    }
    this.listener.sent(job)
    if (!command) this.#poolOf(job.fn)?.add(job)
  }

  #startCommand(job: J, command: ResolvedCommand): CommandProcess<J> {
    const process = new CommandProcess<J>({
      owner: this,
      clock: this.#clock,
      spawn: (request, wanted) => this.#spawner.spawn(request, wanted),
      startTimeout: this.#options.processes.startTimeout,
      command,
      job,
    })
    this.#commands.add(process)
    void process.gone.then(() => this.#commands.delete(process))
    return process
  }

  #left(job: J): void {
    this.#running.delete(job)
    job.place = undefined
    if (this.#running.size === 0) this.#keepAlive()
  }

  #poolOf(fn: string): ProcessPool<J> | undefined {
    const kind = this.#options.processOf(fn)
    return kind && this.#pools.get(kind)
  }

  #createPool(kind: ResolvedProcess): ProcessPool<J> {
    const { functions, processes } = this.#options
    const { command, env } = nodeCommand(kind, functions)
    const { cwd, uid, gid, limits } = kind
    return new ProcessPool<J>({
      owner: this,
      clock: this.#clock,
      spares: processes.spares,
      reusable: kind.reuse > 1 ? processes.max : 0,
      onFailure: (error) => this.#logger.warn({ err: error.cause }, 'process did not start'),
      create: (owner) =>
        new FunctionProcess<J>({
          owner,
          clock: this.#clock,
          logger: this.#logger,
          spawn: () => this.#spawner.spawn({ command, streams: STREAMS, cwd, env, uid, gid, limits }),
          functions: functions.href,
          logLevel: logLevelOf(this.#logger),
          resultLimit: kind.resultLimit,
          startTimeout: processes.startTimeout,
          reuse: kind.reuse,
        }),
    })
  }
}
