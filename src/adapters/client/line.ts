import type { CallId } from '../../model/call-id.ts'
import type { Clock } from '../../model/clock.ts'
import { CallError } from '../../model/errors.ts'
import { LONGEST_WAIT, NODE_HEADER } from '../wire/headers.ts'
import { RICH_TYPE } from '../wire/media.ts'
import { isProblem, kindOf, type ProblemJson, type ProblemKind } from '../wire/problems.ts'
import { backoff, retryAfter, withJitter } from './backoff.ts'
import { NoAnswer, type Answer, type Request } from './exchange.ts'
import type { ResolvedConnectOptions } from './options.ts'
import type { Sendings } from './sendings.ts'
import type { Transport } from './transport.ts'

/** What the node is asked, as often as it takes to get an answer. */
export interface Question {
  method: Request['method']
  /** Below the prefix, with the query. */
  path(wait: number): string
  headers?: Record<string, string>
  body?(wait: number): string
  /** Milliseconds for which the node may hold the answer back. Default: 0. */
  wait?: number
  /** Those of its like by which the node may know it already. Left out, it may be sent again at any time. */
  sendings?: Sendings
  signal?: AbortSignal | undefined
  /** For the error. */
  fn?: string
  id?: CallId
}

export interface Reply {
  status: number
  headers: Answer['headers']
  /** The body, as far as it is JSON. */
  json: unknown
  problem: ProblemJson | undefined
  kind: ProblemKind | undefined
  /** Whether the node may have had the same question before. */
  isRepeat: boolean
}

/** Milliseconds that a wait is asked for again, at least, after a connection has broken under a longer one. */
const SHORTEST_REACH = 1_000

/** Causes for which the request is sent again: it did not arrive as it was sent. */
const DAMAGED: ReadonlySet<unknown> = new Set<ProblemKind>(['malformed-request', 'request-timeout'])

/** What a node refuses without a look at the call, or at its key: whether that had begun does not show. */
const BLIND: ReadonlySet<unknown> = new Set<ProblemKind>(['rate-limited', 'draining', 'unauthorized', 'forbidden'])

/** What stands between the two says so when it does not reach the node. */
const GATEWAY = new Set([502, 503, 504])

/** The way to one node: it outlives the connections that it consists of. */
export class Line {
  readonly #transport: Transport
  readonly #options: ResolvedConnectOptions
  readonly #clock: Clock
  /** Milliseconds for which connections are known to last while nothing is said on them. */
  #reach = LONGEST_WAIT
  #tag: string | undefined
  #learning: Promise<void> | undefined

  constructor(transport: Transport, options: ResolvedConnectOptions, clock: Clock) {
    this.#transport = transport
    this.#options = options
    this.#clock = clock
  }

  /** Scheme, host and port of the node. */
  get origin(): string {
    return this.#options.origin
  }

  /** Milliseconds on the line's own clock. */
  get now(): number {
    return this.#clock.now()
  }

  /** The tag of the node that answered last; asks for it where none has. */
  async tag({ fn, signal }: Pick<Question, 'fn' | 'signal'>): Promise<string> {
    if (this.#tag !== undefined) return this.#tag
    try {
      // Many that begin at once need one answer, and the connection that it came by.
      await (signal ? this.#learn(signal) : (this.#learning ??= this.#learn()))
    } catch (error) {
      // Asking that has started nothing.
      if (error instanceof CallError && error.started !== 'yes') throw neverStarted(error, fn)
      throw error
    } finally {
      if (!signal) this.#learning = undefined
    }
    return this.#tag ?? ''
  }

  async #learn(signal?: AbortSignal): Promise<void> {
    await this.ask({ method: 'GET', path: () => '/health', signal })
  }

  /**
   * Asks until there is an answer, whatever it says. A node that takes no requests for now is asked again when it says so,
   * if that is within `wait` and `margin`. Nothing is sent again that would not arrive, within a margin, while the node
   * knows that it had it.
   *
   * @throws CallError `NODE_UNREACHABLE` when nothing was heard of the node for `wait` and `margin`, with `started`
   * `no` where it cannot have had the question; the reason of the signal. Broken connections, and gateways that do not
   * reach the node, are tried again for `margin`; and for as long as `wait` says, of 29 s at most, where a gateway says when.
   */
  async ask(question: Question): Promise<Reply> {
    const { wait = 0, signal, sendings } = question
    const { margin } = this.#options
    const until = this.#clock.now() + wait
    let failures = 0
    /** When it failed first since the node was heard of. */
    let failedAt: number | undefined
    /** Milliseconds beside the margin for which it is tried again. */
    let patience = 0
    let isRepeat = false
    const isTooLate = (at: number): boolean => sendings?.allow(at + margin) === false
    for (;;) {
      const held = Math.ceil(Math.min(Math.max(0, until - this.#clock.now()), this.#reach))
      const askedAt = this.#clock.now()
      const notHad = sendings?.add(askedAt)
      let reply: Reply | undefined
      try {
        const answer = await this.#transport.send(this.#requestOf(question, held), held + margin, signal)
        reply = this.#read(answer, question, isRepeat)
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        if (error.isSent) isRepeat = true
        else notHad?.()
        failures += 1
        this.#shorten(this.#clock.now() - askedAt, held)
        const { after = 0 } = error
        const next = Math.max(backoff(failures), withJitter(after))
        const nextAt = this.#clock.now() + next
        failedAt ??= this.#clock.now()
        // Who says when to come again is taken at their word, though not for ever.
        if (after > 0) patience = Math.min(Math.max(0, until - failedAt), LONGEST_WAIT)
        const giveUpAt = failedAt + patience + margin
        const isOver = error.isLate || this.#isHopeless(error) || nextAt > giveUpAt
        if (isOver || isTooLate(nextAt)) throw this.#unreachable(question, error, isRepeat)
        await this.#transport.pause(next, signal)
        continue
      }
      this.#lengthen(held)
      if (reply.problem?.started === 'no') notHad?.()
      if (reply.kind !== 'rate-limited') return reply
      const delay = delayOf(reply)
      const nextAt = this.#clock.now() + delay
      if (nextAt > until + margin || isTooLate(nextAt)) return reply
      // The node is there: what failed before it said so does not count.
      failures = 0
      failedAt = undefined
      patience = 0
      await this.#transport.pause(delay, signal)
    }
  }

  /** Resolves `ms` milliseconds from now. @throws the reason of `signal`, or that of the client's end. */
  pause(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#transport.pause(ms, signal)
  }

  #requestOf({ method, path, headers, body }: Question, held: number): Request {
    const { prefix, headers: always } = this.#options
    const request = { method, path: prefix + path(held), headers: { ...always, accept: RICH_TYPE, ...headers } }
    if (!body) return request
    return { ...request, headers: { ...request.headers, 'content-type': RICH_TYPE }, body: body(held) }
  }

  /** @throws NoAnswer when the node itself has not had the request, CallError when there is no node at all. */
  #read({ status, headers, body }: Answer, { id }: Question, isRepeat: boolean): Reply {
    const tag = headers[NODE_HEADER]
    if (typeof tag !== 'string') {
      if (GATEWAY.has(status)) {
        const after = retryAfter(headers['retry-after'])
        const told = { isSent: true, ...(after !== undefined && { after }) }
        throw new NoAnswer(`answered by a gateway with HTTP ${status}`, told)
      }
      const message = `what answers at ${this.#options.origin}${this.#options.prefix} is no coatcheck node: HTTP ${status} without the header ${NODE_HEADER}`
      throw new CallError('PROTOCOL_ERROR', message, { started: isRepeat ? 'unknown' : 'no' })
    }
    this.#tag = tag
    const json = parse(body)
    const problem = isProblem(json) ? json : undefined
    const kind = problem && kindOf(problem)
    if (DAMAGED.has(kind)) throw new NoAnswer(problem?.detail ?? '', { isSent: true })
    if (problem && BLIND.has(kind) && (isRepeat || id !== undefined)) problem.started = 'unknown'
    return { status, headers, json, problem, kind, isRepeat }
  }

  #isHopeless(error: NoAnswer): boolean {
    const { endsAtRefusal = false } = this.#options
    return isFinal(error) || (endsAtRefusal && this.#tag === undefined && codeOf(error) === 'ECONNREFUSED')
  }

  /** Something on the way may cut connections on which nothing is said for so long: ask for less. */
  #shorten(lasted: number, held: number): void {
    if (lasted < held) this.#reach = Math.max(SHORTEST_REACH, Math.min(this.#reach, lasted / 2))
  }

  #lengthen(held: number): void {
    if (held >= this.#reach) this.#reach = Math.min(LONGEST_WAIT, this.#reach * 2)
  }

  #unreachable({ fn, id }: Question, cause: NoAnswer, isSent: boolean): CallError {
    const message = `the node at ${this.#options.origin} does not answer: ${cause.message}`
    const started = isSent || id !== undefined ? 'unknown' : 'no'
    return new CallError('NODE_UNREACHABLE', message, { fn, id, started, retryable: !isFinal(cause), cause })
  }
}

/** Milliseconds after which a node that is busy is asked again. */
export function delayOf({ headers }: Reply): number {
  return withJitter(retryAfter(headers['retry-after']) ?? backoff(1))
}

function neverStarted({ code, message, retryable, cause }: CallError, fn: string | undefined): CallError {
  return new CallError(code, message, { fn, started: 'no', retryable, cause })
}

/** One of the two does not accept the other's certificate: asking again changes nothing. */
function isFinal(error: NoAnswer): boolean {
  return /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)/.test(codeOf(error))
}

function codeOf({ cause }: NoAnswer): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // Whoever needs it will find that it is not there.
    return undefined
  }
}
