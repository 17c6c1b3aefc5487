import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { LONGEST_DELAY } from '../../model/clock.ts'
import type { ResolvedThreadsOptions } from '../../model/thread-options.ts'
import type { LaneTask } from '../../protocol/messages.ts'

// Next to this module in the package, with its kind of extension: the same line works from src and from dist.
const ENTRY = fileURLToPath(new URL(`../../host/thread-entry.c${extname(import.meta.url).slice(1)}`, import.meta.url))

/** The threads, which are Piscina's: it starts them, limits them, notices their crashes and replaces them. */
export class ThreadPool {
  readonly #piscina: Piscina

  /** @param onLost told when a thread was lost: one that a task waits for may be among the lost. */
  constructor(options: ResolvedThreadsOptions, onLost: (error: Error | undefined) => void) {
    const { min, max, idleTimeout, resourceLimits, env, execArgv } = options
    const own = { ...(resourceLimits && { resourceLimits }), ...(env && { env }), ...(execArgv && { execArgv }) }
    checkStart(own)
    this.#piscina = new Piscina({
      filename: ENTRY,
      name: 'serve',
      minThreads: min,
      maxThreads: max,
      // Piscina hands it to a timer as it is.
      idleTimeout: idleTimeout === Infinity ? idleTimeout : Math.min(idleTimeout, LONGEST_DELAY),
      // A lane is one task for the whole of its life.
      concurrentTasksPerWorker: 1,
      recordTiming: false,
      // Threads that wait for a task must not stop the timers and sockets of the functions module.
      atomics: 'disabled',
      ...own,
    })
    this.#piscina.on('error', (error: Error) => onLost(error))
    // Piscina counts the thread until the listeners have been told.
    this.#piscina.on('workerDestroy', () => queueMicrotask(() => onLost(undefined)))
  }

  /** Threads there are, starting ones too. */
  get size(): number {
    return this.#piscina.threads.length
  }

  /** Serves a lane on a thread of its own, which a new one is started for if none is free. The signal ends the thread. */
  async serve(task: LaneTask, signal: AbortSignal): Promise<void> {
    try {
      await this.#piscina.run(task, { transferList: [task.port], signal })
    } catch (error) {
      // If no thread had taken it over yet, nobody else would close it.
      task.port.close()
      throw error
    }
  }

  threadOf(threadId: number): Worker | undefined {
    return this.#piscina.threads.find((thread) => thread.threadId === threadId)
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await this.#piscina.destroy()
  }
}

/** What threads do not take is refused when one is made: here, and not when somebody waits for it. */
function checkStart(own: WorkerOptions): void {
  if (!own.execArgv && !own.env) return
  try {
    void new Worker('', { ...own, eval: true }).terminate()
  } catch (error) {
    const where = own.execArgv ? 'threads.execArgv' : 'threads.env (NODE_OPTIONS)'
    throw new Error(`${where} has options that threads do not take: ${(error as Error).message}`, { cause: error })
  }
}
