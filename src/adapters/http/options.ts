import type { FastifyRequest } from 'fastify'
import { checkInteger, checkObject, checkOptions, checkStrings, show } from '../../model/check.ts'
import type { Runner } from '../../model/runner.ts'

/** What a request is about, as far as it is known before it is let in. */
export interface Target {
  /** The function that is to be called, or whose call is asked for. */
  fn?: string
  /** The call that is asked for. */
  call?: string
}

/**
 * Lets a request in, or not.
 *
 * @returns the principal that owns the calls it starts: a name, never empty. Anything else refuses the request with 403.
 * @throws whatever it likes; an error whose `statusCode` is 401 or 403 refuses the request with that status.
 */
export type Authorize = (
  request: FastifyRequest,
  target: Target,
) => string | false | null | undefined | Promise<string | false | null | undefined>

/** What one node lets others use of it. */
export interface HttpLimits {
  /** Bytes of a request's body; 1 or more. Default: 1,048,576 (1 MiB). */
  body?: number
  /** Requests per second of one principal, on average over ten seconds; 1 or more. As many that are refused before they are
   * let in, or are not right, may come from one address. Default: 1,000. */
  rate?: number
  /** Waits of one principal that are held at once; 1 or more. Default: 2,500. */
  waitsPerPrincipal?: number
  /** Waits that are held at once in all; 1 or more. Default: 10,000. */
  waits?: number
  /** Streams of events that one principal may have open; 1 or more. Default: 100. */
  streamsPerPrincipal?: number
}

// Whatever its functions are: their names stand beside it, as text.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyRunner = Runner<any>

export interface HttpOptions {
  /** Any runner. Who made it closes it. */
  runner: AnyRunner
  /** The functions that may be called, by their names. No others can be. */
  functions: readonly string[]
  /** Lets requests in. Left out, the subject of the client's certificate is the principal; and without TLS only callers
   * on this machine are let in, which are all one principal. */
  authorize?: Authorize
  limits?: HttpLimits
}

export interface ResolvedHttpOptions {
  runner: Runner
  functions: ReadonlySet<string>
  authorize: Authorize | undefined
  limits: Required<HttpLimits>
}

const DEFAULT_LIMITS: Required<HttpLimits> = {
  body: 1_048_576,
  rate: 1_000,
  waitsPerPrincipal: 2_500,
  waits: 10_000,
  streamsPerPrincipal: 100,
}

/** @throws TypeError or RangeError that names the option, what it was, and what would be right. */
export function resolveHttpOptions({ runner, functions, authorize, limits }: HttpOptions): ResolvedHttpOptions {
  if (typeof runner?.start !== 'function') {
    throw new TypeError(`option "runner" must be a runner, as createRunner gives it; got ${show(runner)}`)
  }
  if (functions === undefined) {
    throw new TypeError('option "functions" is missing: it must list the names of the functions that may be called')
  }
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw new TypeError(`option "authorize" must be a function, got ${show(authorize)}`)
  }
  return {
    runner,
    functions: new Set(checkStrings('option "functions"', functions)),
    authorize,
    limits: resolveLimits(limits),
  }
}

function resolveLimits(given: HttpLimits = {}): Required<HttpLimits> {
  checkObject('limits', given)
  checkOptions('limits', given, Object.keys(DEFAULT_LIMITS))
  const limits = { ...DEFAULT_LIMITS }
  for (const key of Object.keys(limits) as (keyof HttpLimits)[]) {
    const value = given[key]
    if (value !== undefined) limits[key] = checkInteger(`limits.${key}`, value, 1)
  }
  return limits
}
