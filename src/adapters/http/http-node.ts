import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../../model/clock.ts'
import type { Runner } from '../../model/runner.ts'
import { NODE_HEADER } from '../wire/headers.ts'
import { EventHub } from './events/event-hub.ts'
import { Keys } from './keys.ts'
import { Ledger, type Owned } from './ledger.ts'
import { nodeTagOf } from './node-tag.ts'
import type { ResolvedHttpOptions, Target } from './options.ts'
import { Principals } from './principals.ts'
import { Quota } from './quota.ts'
import { Readiness } from './readiness.ts'
import { refuse } from './refusal.ts'
import { Waiting } from './waiting.ts'

const PRINCIPAL = Symbol('principal')

/** Milliseconds over which the rate of requests is counted. */
const RATE_WINDOW = 10_000

type Limiter = ReturnType<FastifyInstance['createRateLimit']>

/** What the routes have in common: the runner, and who may do what with it. */
export class HttpNode {
  readonly runner: Runner
  readonly functions: ReadonlySet<string>
  readonly tag: string
  readonly ledger: Ledger
  readonly keys: Keys
  readonly waiting: Waiting
  readonly readiness: Readiness
  readonly hub: EventHub
  readonly streams: Quota
  readonly #principals: Principals
  /** Starts that go on at the end of this turn of the event loop. */
  #turn: (() => void)[] = []
  readonly #most: number
  #limiter: Limiter | undefined
  /** Who sends what no route of the node gets. */
  readonly #strangers = new WeakMap<FastifyRequest, string>()

  constructor({ runner, functions, authorize, limits }: ResolvedHttpOptions, clock: Clock) {
    this.runner = runner
    this.functions = functions
    this.tag = nodeTagOf(runner)
    this.ledger = new Ledger(runner)
    this.keys = new Keys(clock)
    this.waiting = new Waiting(runner, this.ledger, clock, new Quota(limits.waitsPerPrincipal, limits.waits))
    this.readiness = new Readiness(runner)
    this.hub = new EventHub(runner, this.ledger, clock)
    this.streams = new Quota(limits.streamsPerPrincipal, limits.waits)
    this.#principals = new Principals(authorize)
    this.#most = limits.rate * (RATE_WINDOW / 1_000)
  }

  /** Prepares an app in which the routes are. */
  prepare(app: FastifyInstance): void {
    app.decorateRequest(PRINCIPAL, '')
    // All of it: what is left out is as in a limit that the app itself may have.
    this.#limiter = app.createRateLimit({
      max: this.#most,
      timeWindow: RATE_WINDOW,
      keyGenerator: (request: FastifyRequest) =>
        this.#strangers.get(request) ?? request.getDecorator<string>(PRINCIPAL),
      allowList: [],
      ban: -1,
      skipOnError: false,
    })
  }

  /**
   * Lets a request in, and says for whom.
   *
   * @throws Refusal for one that may not do that, or not so often.
   */
  async admit(request: FastifyRequest, target: Target): Promise<string> {
    try {
      const found = this.#principals.identify(request, target)
      const principal = typeof found === 'string' ? found : await found
      await this.#count(request, principal)
      return principal
    } catch (error) {
      throw await this.refused(request, error)
    }
  }

  /**
   * Counts a request that is refused before it was let in, by its address: who guesses is to guess slowly.
   *
   * @returns what it is refused for in the end.
   */
  async refused(request: FastifyRequest, error: unknown): Promise<unknown> {
    if (request.getDecorator(PRINCIPAL) !== '') return error
    try {
      await this.#count(request, strangerAt(request))
      return error
    } catch (limited) {
      return limited
    }
  }

  /** The same for a request that is for none of the node's resources, of a server that has no others. */
  async refusedOutside(request: FastifyRequest, error: unknown): Promise<unknown> {
    this.#strangers.set(request, strangerAt(request))
    try {
      await this.#limit(request)
      return error
    } catch (limited) {
      return limited
    }
  }

  /** Whether a request that everybody may send is of one who would be let in. */
  async knows(request: FastifyRequest): Promise<boolean> {
    try {
      await this.admit(request, {})
      return true
    } catch {
      return false
    }
  }

  /** Counts a request for its rate. */
  async #count(request: FastifyRequest, principal: string): Promise<void> {
    request.setDecorator(PRINCIPAL, principal)
    await this.#limit(request)
  }

  async #limit(request: FastifyRequest): Promise<void> {
    const limit = await this.#limiter?.(request)
    if (!limit || limit.isAllowed || !limit.isExceeded) return
    const { max, timeWindow, ttlInSeconds } = limit
    const detail = `more than ${max} requests in ${timeWindow / 1_000} s`
    throw refuse('rate-limited', detail, {}, Math.max(1, ttlInSeconds))
  }

  /** Resolves when all requests are read that have arrived by now, so that their calls travel together. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#turn.push(resolve)
      if (this.#turn.length > 1) return
      setImmediate(() => {
        const begin = this.#turn
        this.#turn = []
        for (const each of begin) each()
      })
    })
  }

  /**
   * The call that a request asks for, which has to be the caller's own: there are no others for it.
   *
   * @throws Refusal, or CallError as the runner's `wait`.
   */
  async find(request: FastifyRequest, id: string): Promise<Owned> {
    const owned = this.ledger.get(id)
    const principal = await this.admit(request, owned ? { call: id, fn: owned.fn } : { call: id })
    if (owned?.principal === principal) return owned
    // Of a call that is no longer, or never was, the runner says why.
    if (!owned) await this.runner.wait(id, { timeout: 0 })
    throw refuse('call-unknown', 'there is no such call, or it is not yours', { id })
  }

  /** @throws Refusal for a request that is meant for the node that was here before. */
  checkNode({ headers }: FastifyRequest): void {
    const meant = headers[NODE_HEADER]
    if (meant === undefined || meant === this.tag) return
    throw refuse(
      'node-changed',
      `this is node ${this.tag}; the request is for ${String(meant)}, which is gone or elsewhere`,
    )
  }

  /** Answers what is held and ends what is streamed. The runner is left as it is. */
  close(): void {
    this.waiting.close()
    this.hub.close()
    this.ledger.close()
  }
}

function strangerAt({ ip }: FastifyRequest): string {
  return `unknown at ${ip}`
}
