import type { Executor, ExecutorStats } from '../executors/executor.ts'
import type { Isolation, ResolvedOptions } from '../model/options.ts'
import type { Call } from '../table/call.ts'
import type { CallQueue } from './call-queue.ts'

/** Where calls of some functions run, and the queue in which they wait for that. */
export interface Route {
  readonly queue: CallQueue
  readonly executor: Executor<Call>
  /** Its calls that have not ended. */
  underWay: number
  /** A call was refused for want of room since `drain` was last told. */
  hasRefused: boolean
}

const NOTHING: ExecutorStats = { size: 0, busy: 0 }

/** The ways that calls go. */
export class Routes {
  readonly #options: ResolvedOptions
  readonly #routes: ReadonlyMap<Isolation, Route>

  /** @param create makes what runs calls with that isolation; asked once for each that is needed. */
  constructor(options: ResolvedOptions, create: (isolation: Isolation) => Pick<Route, 'queue' | 'executor'>) {
    this.#options = options
    const { define, commands, others } = options
    const needed = new Set([others, ...define.values(), ...commands.values()].map(({ isolation }) => isolation))
    this.#routes = new Map(
      Array.from(needed, (isolation) => [isolation, { ...create(isolation), underWay: 0, hasRefused: false }]),
    )
  }

  of(fn: string): Route {
    const { define, commands, others } = this.#options
    const { isolation } = define.get(fn) ?? commands.get(fn) ?? others
    return this.#routes.get(isolation) as Route
  }

  [Symbol.iterator](): Iterator<Route> {
    return this.#routes.values()
  }

  /** Whether one more call can be let in: it could run at once, or wait within `queueLimit`. */
  hasRoom(route: Route): boolean {
    return route.underWay < route.executor.capacity || this.#waiting < this.#options.queueLimit
  }

  get queueLength(): number {
    let length = 0
    for (const { queue } of this.#routes.values()) length += queue.size
    return length
  }

  stats(isolation: Isolation): ExecutorStats {
    return this.#routes.get(isolation)?.executor.stats() ?? NOTHING
  }

  /** Calls beyond those that can run at once. */
  get #waiting(): number {
    let waiting = 0
    for (const { underWay, executor } of this.#routes.values()) waiting += Math.max(0, underWay - executor.capacity)
    return waiting
  }
}
