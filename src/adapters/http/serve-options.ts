import type { Logger } from 'pino'
import type { SecureContextOptions } from 'node:tls'
import { checkInteger, checkObject, checkOptions, checkString, show } from '../../model/check.ts'
import type { AnyFunctions, FunctionName } from '../../model/functions.ts'
import type { HttpLimits, HttpOptions } from './options.ts'
import { isLoopback } from './loopback.ts'

/** The node's own certificate, and whose certificates it believes. Values as for `node:tls`. */
export interface TlsOptions {
  key: NonNullable<SecureContextOptions['key']>
  cert: NonNullable<SecureContextOptions['cert']>
  /** The authorities whose clients are let in. When given, a client has to have a certificate of theirs (mutual TLS). */
  ca?: NonNullable<SecureContextOptions['ca']>
  /** Certificates that were revoked. */
  crl?: NonNullable<SecureContextOptions['crl']>
  passphrase?: string
}

export interface ServeLimits extends HttpLimits {
  /** Connections at once; 1 or more. Further ones are closed. Default: 10,000. */
  connections?: number
  /** Milliseconds in which the headers of a request have to arrive over HTTP/1.1; 1 or more. Default: 10,000. */
  headersTimeout?: number
  /** Milliseconds in which a whole request has to arrive, over HTTP/2 after its headers; 1 or more. Default: 60,000. */
  requestTimeout?: number
  /** Bytes of a request's headers; 1,024 or more. Default: 16,384. */
  headers?: number
}

export interface ServeOptions<F = AnyFunctions> extends Omit<HttpOptions, 'runner' | 'functions' | 'limits'> {
  /** The functions that may be called, by their names. No others can be. */
  functions: readonly FunctionName<F>[]
  /** From 0 to 65,535; 0 takes any that is free. Default: 1811. */
  port?: number
  /** The address to listen on; `localhost` is 127.0.0.1. Any but this machine's own takes `tls.ca` or `authorize`.
   * Default: 127.0.0.1. */
  host?: string
  /** What the paths of all resources begin with, such as `/jobs`. Default: /v1. */
  prefix?: string
  /** Serves HTTPS: HTTP/2 to those who know it, TLS 1.2 and later. Default: HTTP/1.1 without TLS. */
  tls?: TlsOptions
  limits?: ServeLimits
  /** A pino logger. Default: silent. */
  logger?: Logger
}

export interface ResolvedServeOptions {
  port: number
  host: string
  prefix: string
  tls: TlsOptions | undefined
  logger: Logger | undefined
  limits: Required<Omit<ServeLimits, keyof HttpLimits>>
}

const KEYS = ['functions', 'port', 'host', 'prefix', 'tls', 'authorize', 'limits', 'logger']
const TLS_KEYS = ['key', 'cert', 'ca', 'crl', 'passphrase']

const DEFAULTS = { port: 1811, host: '127.0.0.1', prefix: '/v1' }
const LIMITS = { connections: 10_000, headersTimeout: 10_000, requestTimeout: 60_000, headers: 16_384 }
const LEAST_HEADERS = 1_024

/**
 * Checks the options of `serve` that the plugin does not know.
 *
 * @throws TypeError or RangeError that names the option, what it was, and what would be right.
 */
export function resolveServeOptions<F>(given: ServeOptions<F>): ResolvedServeOptions {
  checkOptions('serve options', given, KEYS)
  const { port, tls, authorize, logger } = given
  const host = given.host === undefined ? DEFAULTS.host : checkString('host', given.host)
  if (tls !== undefined) checkTls(tls)
  if (tls?.ca === undefined && authorize === undefined && !isLoopback(host)) {
    throw new TypeError(
      `host ${show(host)} lets callers from elsewhere in: give tls.ca, so that they need a certificate, or an "authorize" hook`,
    )
  }
  return {
    port: port === undefined ? DEFAULTS.port : checkInteger('port', port, 0, 65_535),
    host,
    prefix: given.prefix === undefined ? DEFAULTS.prefix : checkPrefix(given.prefix),
    tls,
    logger,
    limits: resolveLimits(given.limits),
  }
}

function checkPrefix(given: unknown): string {
  const prefix = checkString('prefix', given)
  if (/^(\/[\w.~-]+)+$/.test(prefix)) return prefix
  throw new TypeError(`prefix must be a path without a slash at its end, such as '/v1'; got ${show(prefix)}`)
}

function checkTls(tls: TlsOptions): void {
  checkObject('tls', tls)
  checkOptions('tls', tls, TLS_KEYS)
  for (const key of ['key', 'cert'] as const) {
    if (tls[key] === undefined)
      throw new TypeError(`tls.${key} is missing: a node that serves HTTPS needs key and cert`)
  }
  if ('ca' in tls && (tls.ca === undefined || tls.ca.length === 0)) {
    throw new TypeError('tls.ca must be the certificates of the authorities; leave it out for no mutual TLS')
  }
}

function resolveLimits(given: ServeLimits = {}): ResolvedServeOptions['limits'] {
  checkObject('limits', given)
  const limits = { ...LIMITS }
  for (const key of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const value = given[key]
    if (value !== undefined) limits[key] = checkInteger(`limits.${key}`, value, key === 'headers' ? LEAST_HEADERS : 1)
  }
  return limits
}

/** The limits that the plugin knows. */
export function pluginLimits(given: ServeLimits = {}): HttpLimits {
  const limits: Record<string, unknown> = { ...given }
  for (const key of Object.keys(LIMITS)) delete limits[key]
  return limits
}
