import { validateHeaderName, validateHeaderValue } from 'node:http'
import { checkObject, checkOptions, checkString, show } from '../../model/check.ts'
import { checkDuration } from '../../model/timeouts.ts'
import type { TlsOptions } from './connections.ts'

export interface ConnectOptions {
  /** For `https:` nodes: the certificate that the client shows, and the authorities by which it knows the node. */
  tls?: TlsOptions
  /** Headers that go with every request, such as `authorization`. */
  headers?: Record<string, string>
  /**
   * Milliseconds beyond the wait that was asked for, after which a node that is silent counts as `NODE_UNREACHABLE`;
   * more than 0. Broken connections are made again for as long. Default: 5,000.
   */
  margin?: number
}

/** What only this package asks for. */
export interface OwnOptions {
  /** Whether it ends at once where the first connection is refused: nothing was sent, and nobody may ever be there. Default: false. */
  endsAtRefusal?: boolean
}

export interface ResolvedConnectOptions extends OwnOptions {
  /** Scheme, host and port. */
  origin: string
  /** Before the paths of all resources, without a slash at its end. */
  prefix: string
  tls: TlsOptions
  headers: Record<string, string>
  margin: number
}

const KEYS = ['tls', 'headers', 'margin']
const TLS_KEYS = ['ca', 'cert', 'key', 'passphrase', 'pfx', 'servername']

const DEFAULTS = { prefix: '/v1', margin: 5_000 }

/** @throws TypeError or RangeError that names what is wrong, and says what would be right. */
export function resolveConnect(url: unknown, given: ConnectOptions = {}): ResolvedConnectOptions {
  const { origin, pathname, protocol } = readUrl(url)
  checkOptions('connect options', given, KEYS)
  const { tls, headers, margin } = given
  if (tls !== undefined) {
    checkOptions('tls', tls, TLS_KEYS)
    if (protocol !== 'https:') throw new TypeError(`tls is for https: URLs, and the URL is ${show(String(url))}`)
  }
  const path = pathname.replace(/\/+$/, '')
  return {
    origin,
    prefix: path === '' ? DEFAULTS.prefix : path,
    tls: tls ?? {},
    headers: headers === undefined ? {} : checkHeaders(headers),
    margin: margin === undefined ? DEFAULTS.margin : checkDuration('margin', margin),
  }
}

function readUrl(given: unknown): URL {
  const url = given instanceof URL || typeof given === 'string' ? URL.parse(String(given)) : null
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError(`url must be an http: or https: URL, such as 'https://node1:1811'; got ${show(given)}`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('url must not have a user name or password in it; use the option "headers"')
  }
  if (url.search !== '' || url.hash !== '') throw new TypeError(`url must end with its path, got ${show(url.href)}`)
  return url
}

function checkHeaders(given: Record<string, string>): Record<string, string> {
  checkObject('headers', given)
  for (const [name, value] of Object.entries(given)) {
    checkString(`headers[${JSON.stringify(name)}]`, value)
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
  return { ...given }
}
