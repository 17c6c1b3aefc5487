import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'

export interface Request {
  method: 'GET' | 'POST' | 'DELETE'
  /** With the query. */
  path: string
  headers: Record<string, string>
  body?: string
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** A request was not answered. */
export class NoAnswer extends Error {
  /** Whether the node may have had the request. */
  readonly isSent: boolean
  /** Whether it was given all the time there was. */
  readonly isLate: boolean
  /** Milliseconds after which it may be sent again, where somebody has said so. */
  readonly after: number | undefined

  constructor(
    message: string,
    { isSent, isLate = false, after, cause }: { isSent: boolean; isLate?: boolean; after?: number; cause?: Error },
  ) {
    super(message, cause && { cause })
    this.isSent = isSent
    this.isLate = isLate
    this.after = after
  }

  static {
    this.prototype.name = 'NoAnswer'
  }
}

/** One request and what comes back for it. */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Whether any of the request went out. */
  isSent = false
  readonly #onAnswer: (answer: Answer) => void
  readonly #onError: (error: unknown) => void
  readonly #chunks: Buffer[] = []
  #controller: Dispatcher.DispatchController | undefined
  #head: Omit<Answer, 'body'> | undefined
  #isOver = false

  /** One of the two is called, once. */
  constructor(onAnswer: (answer: Answer) => void, onError: (error: unknown) => void) {
    this.#onAnswer = onAnswer
    this.#onError = onError
  }

  /** Takes the request back, if it is not answered yet. */
  abort(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#controller?.abort(reason instanceof Error ? reason : new Error('aborted'))
    this.#onError(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(new Error('aborted'))
    else this.isSent = true
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 1xx says that the answer is on its way.
    if (status >= 200) this.#head = { status, headers }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    if (this.#isOver || !this.#head) return
    this.#isOver = true
    this.#onAnswer({ ...this.#head, body: Buffer.concat(this.#chunks).toString() })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onError(new NoAnswer(reasonOf(error), { isSent: this.isSent, cause: error }))
  }
}

/** Where a host has more than one address, the error is about all of them, and has no words of its own. */
function reasonOf(error: Error): string {
  const errors = error instanceof AggregateError ? (error.errors as Error[]) : []
  return error.message || errors.map(({ message }) => message).join(', ') || error.name
}
