import { hash, randomUUID } from 'node:crypto'
import type { CallId } from '../../model/call-id.ts'
import { CallError } from '../../model/errors.ts'
import type { CallStatus } from '../../model/status.ts'
import { KEY_HEADER, KEY_REMEMBERED, NODE_HEADER } from '../wire/headers.ts'
import { writeSpan } from '../wire/spans.ts'
import { statusOf } from './answers.ts'
import { backoff } from './backoff.ts'
import type { CallRequest } from './call-request.ts'
import type { Line, Reply } from './line.ts'
import { Sendings } from './sendings.ts'

/** Nodes that may answer in the place of one another, in a row: one that was restarted is another node, once. */
const MOST_CHANGES = 3

/** A call that is to be started: however often the node is asked for it, it runs once. */
export class Starting {
  readonly fn: string
  readonly #line: Line
  readonly #key: string
  /** The request's body, but for the timeout and the end. */
  readonly #body: string
  /** Milliseconds that a request may take to arrive. */
  readonly #margin: number
  readonly #sendings: Sendings
  /** What comes of the request that was made first of those under way. */
  #first: Promise<CallStatus> | undefined
  /** Requests that the node may have had or may still get, for all that is known. */
  #strays = 0
  #givenUp: { reason: unknown } | undefined
  #onGivenUp: (() => void) | undefined
  /** Ends what is asked, where somebody can abort the call. */
  readonly #failing: AbortController | undefined
  /** The node that the call is for: no other may have it when this one may have it already. */
  #tag: string | undefined
  #id: CallId | undefined
  #isAsked = false

  /** @param margin of the line, in milliseconds. */
  constructor(line: Line, margin: number, request: CallRequest) {
    const { fn, args, abortAfter, grace, retain, priority, idempotencyKey, signal } = request
    this.fn = fn
    this.#line = line
    this.#margin = margin
    this.#key = idempotencyKey === undefined ? randomUUID() : headerOf(idempotencyKey)
    const spans = Object.entries({ abortAfter, grace, retain })
      .filter(([, ms]) => ms !== undefined)
      .map(([name, ms]) => `,"${name}":${writeSpan(ms as number)}`)
    const rank = priority === undefined ? '' : `,"priority":${priority}`
    this.#body = `{"fn":${JSON.stringify(fn)},"args":${args}${spans.join('')}${rank}`
    // The node knows the key also for as long as it keeps the call. What its function says of that is not known here.
    this.#sendings = new Sendings(Math.max(retain ?? 0, KEY_REMEMBERED))
    this.#failing = signal && new AbortController()
  }

  /** The call, where the node has told its ID. */
  get id(): CallId | undefined {
    return this.#id
  }

  /** Whether the node may have been asked for the call, so that it may run. */
  get isAsked(): boolean {
    return this.#isAsked
  }

  /**
   * Whether a request for the start may still be on its way to the node: if that had forgotten the call, it would run it
   * once more.
   */
  get hasStrays(): boolean {
    return this.#strays > 0
  }

  /** It is not to be asked for any more, where that has not been done yet: then it ends as `ABORTED`. */
  giveUp(reason: unknown): void {
    this.#givenUp ??= { reason }
    if (!this.#isAsked) this.#onGivenUp?.()
  }

  /** The node does not answer: whoever asks is told so, and need not wait until that has shown for each request. */
  fail(error: CallError): void {
    this.#failing?.abort(error)
  }

  /**
   * Asks for the call's status, and by that for its start where the node does not have it yet.
   *
   * When the node may have forgotten it, it is not asked again, as it would start the call again: whoever asks then is told
   * what comes of the request under way.
   *
   * @throws CallError for a call that is refused, a node that does not answer, or one that has given way to another;
   * the reason of `stop`.
   */
  ask(wait: number, stop?: AbortSignal): Promise<CallStatus> {
    if (!this.#sendings.allow(this.#line.now + this.#margin)) return this.#first ?? Promise.reject(unanswered(this.fn))
    const answer = this.#ask(wait, stop).finally(() => {
      if (this.#first === answer) this.#first = undefined
    })
    this.#first ??= answer
    return answer
  }

  async #ask(wait: number, stop?: AbortSignal): Promise<CallStatus> {
    try {
      return await this.#send(wait, stop)
    } catch (error) {
      const isCertain = !this.hasStrays && this.#id === undefined
      if (isCertain || !(error instanceof CallError) || error.started !== 'no') throw error
      // Another request for it may come through, or has.
      throw maybeStarted(error)
    }
  }

  async #send(wait: number, stop?: AbortSignal): Promise<CallStatus> {
    const { fn } = this
    const until = this.#line.now + wait
    for (let changes = 1; ; changes++) {
      this.#tag ??= await this.#unlessGivenUp(() => this.#line.tag({ fn, signal: stop }))
      const tag = this.#tag
      if (tag === undefined || (this.#givenUp && !this.#isAsked)) {
        return { finished: true, ok: false, error: abortedUnsent(fn, this.#givenUp?.reason) }
      }
      this.#isAsked = true
      const reply = await this.#post(tag, Math.max(0, until - this.#line.now), stop)
      if (reply.kind !== 'node-changed') return this.#told(reply)
      if (reply.isRepeat) throw lost(fn)
      // Neither the node that was meant has had it, nor has this one taken it.
      this.#tag = undefined
      if (changes === MOST_CHANGES) throw manyNodes(fn, this.#line.origin)
      await this.#line.pause(backoff(changes), stop)
    }
  }

  /** What there is to be learnt before the call can be asked for; undefined when it is not to be asked for any more. */
  #unlessGivenUp<T>(learn: () => Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#givenUp && !this.#isAsked) resolve(undefined)
      else {
        this.#onGivenUp = () => resolve(undefined)
        learn().then(resolve, reject)
      }
    })
  }

  async #post(tag: string, wait: number, stop: AbortSignal | undefined): Promise<Reply> {
    const ends = [stop, this.#failing?.signal].filter((signal) => signal !== undefined)
    const signal = ends.length > 1 ? AbortSignal.any(ends) : ends[0]
    this.#strays += 1
    try {
      const reply = await this.#line.ask({
        method: 'POST',
        path: () => '/calls',
        headers: { [KEY_HEADER]: this.#key, [NODE_HEADER]: tag },
        body: (held) => `${this.#body},"timeout":${held}}`,
        wait,
        sendings: this.#sendings,
        signal,
        fn: this.fn,
      })
      // Of one that was sent again, the first may still be on its way.
      if (!reply.isRepeat) this.#strays -= 1
      return reply
    } catch (error) {
      // A client that ends does not know what has become of it.
      const isUnsent = error instanceof CallError && error.started === 'no' && error.code !== 'RUNNER_CLOSED'
      if (isUnsent) this.#strays -= 1
      throw error
    }
  }

  #told(reply: Reply): CallStatus {
    const status = statusOf(reply)
    this.#id ??= status.id
    return status
  }
}

/** A key as a header can carry it: one that it cannot is told by its digest. */
function headerOf(key: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]{0,200}[\x21-\x7e])?$/.test(key)
  return isPlain ? key : `sha256:${hash('sha256', key)}`
}

/** The error of a call that was aborted before the node was asked for it. */
export function abortedUnsent(fn: string, reason: unknown): CallError {
  const message = `call of "${fn}" was aborted before it was sent`
  return new CallError('ABORTED', message, { fn, started: 'no', step: 'queued', cause: reason })
}

function maybeStarted(error: CallError): CallError {
  const { code, message, fn, retryable, cause } = error
  return new CallError(code, message, { fn, retryable, started: 'unknown', ...('cause' in error && { cause }) })
}

function unanswered(fn: string): CallError {
  const message = `the node did not answer in time, and is not asked again: it may have forgotten the call, which would run twice`
  return new CallError('NODE_UNREACHABLE', message, { fn })
}

function manyNodes(fn: string, origin: string): CallError {
  const message = `more than one node answers at ${origin}, each in its turn: a client speaks to one, so connect to each by a URL of its own`
  return new CallError('PROTOCOL_ERROR', message, { fn, started: 'no' })
}

function lost(fn: string): CallError {
  const message = `the node was restarted while a call of "${fn}" was started on it: whether it ran is not known`
  return new CallError('CALL_LOST', message, { fn })
}
