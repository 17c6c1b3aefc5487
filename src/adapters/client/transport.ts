import type { Clock } from '../../model/clock.ts'
import { Connections, type ConnectionsOptions } from './connections.ts'
import { Exchange, NoAnswer, type Answer, type Request } from './exchange.ts'

/** Sends requests to one node, each once. */
export class Transport {
  readonly #connections: Connections
  readonly #clock: Clock
  /** What ends each that is under way. */
  readonly #underWay = new Set<(reason: unknown) => void>()
  /** Says why nothing is sent any more. */
  #closed: (() => Error) | undefined

  constructor(options: ConnectionsOptions, clock: Clock) {
    this.#connections = new Connections(options)
    this.#clock = clock
  }

  /**
   * @param within milliseconds in which the whole answer has to be here.
   * @throws NoAnswer; the reason of `signal`, or that of `close`.
   */
  send(request: Request, within: number, signal?: AbortSignal): Promise<Answer> {
    return this.#run(signal, (resolve, reject) => {
      const connection = this.#connections.take()
      const exchange = new Exchange(resolve, reject)
      const timer = this.#clock.setTimeout(() => {
        exchange.abort(new NoAnswer(`no answer within ${within} ms`, { isSent: exchange.isSent, isLate: true }))
        // It may lead nowhere by now: whatever else is on it has to be sent again.
        this.#connections.drop(connection)
      }, within)
      const { method, path, headers, body = null } = request
      // `idempotent` lets it go beside others over HTTP/2. Over HTTP/1.1 `blocking` sends nothing behind it.
      try {
        connection.client.dispatch({ method, path, headers, body, blocking: true, idempotent: true }, exchange)
      } catch (error) {
        exchange.abort(error)
      }
      return {
        abort: (reason) => exchange.abort(reason),
        over: () => {
          timer.clear()
          this.#connections.release(connection)
        },
      }
    })
  }

  /** Resolves `ms` milliseconds from now. @throws the reason of `signal`, or that of `close`. */
  pause(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#run(signal, (resolve, reject) => {
      const timer = this.#clock.setTimeout(resolve, ms)
      return { abort: reject, over: () => timer.clear() }
    })
  }

  /** Ends the connections, and with `reason` all that is under way or comes later. */
  async close(reason: () => Error): Promise<void> {
    this.#closed ??= reason
    for (const abort of this.#underWay) abort(reason())
    await this.#connections.close()
  }

  #run<T>(signal: AbortSignal | undefined, begin: Begin<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#closed()
      signal?.throwIfAborted()
      let isSettled = false
      let settled = (): void => {
        isSettled = true
      }
      const { abort, over } = begin(
        (value) => {
          settled()
          resolve(value)
        },
        (error) => {
          settled()
          reject(error)
        },
      )
      // A connection that is known to be broken is told of while the request is handed to it.
      if (isSettled) {
        over()
        return
      }
      const onAbort = (): void => abort(signal?.reason)
      settled = () => {
        signal?.removeEventListener('abort', onAbort)
        this.#underWay.delete(abort)
        over()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#underWay.add(abort)
    })
  }
}

interface UnderWay {
  abort(reason: unknown): void
  /** Called once, when it is settled. */
  over(): void
}

/** Begins something that calls one of the two, once, and maybe before it has returned. */
type Begin<T> = (resolve: (value: T) => void, reject: (error: unknown) => void) => UnderWay
