import { pemFilesOf, type GivenPems } from './pem-files.ts'
import type { NodeAddress } from './shell.ts'
import { UsageError } from './errors.ts'
import { file, quote, text } from './values.ts'
import type { Value } from './command.ts'

// What all commands share that speak to a node.

export const URL_OF_NODE: Value<URL> = {
  name: 'URL',
  help: 'the node, such as http://127.0.0.1:1811',
  read(written) {
    const url = URL.canParse(written) ? new URL(written) : undefined
    // What was written is not shown here: it is a secret.
    if (url && (url.username !== '' || url.password !== '')) {
      throw new UsageError('must have no user name or password in it: the header for that is COATCHECK_AUTHORIZATION')
    }
    if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
    throw new UsageError(`must be a node's, such as http://127.0.0.1:1811; got ${quote(written)}`)
  },
}

export const CALL_ID = text('ID', "the call's ID")

export const TLS_OPTIONS = {
  'tls-ca': file('FILE', 'PEM: the authorities that may have signed the certificate of the node'),
  'tls-cert': file('FILE', 'PEM: the certificate that is shown to the node'),
  'tls-key': file('FILE', "PEM: that certificate's key"),
}

export interface GivenAddress extends GivenPems {
  url: URL
}

export function addressOf({ url, ...given }: GivenAddress): NodeAddress {
  const pems = pemFilesOf(given)
  if (url.protocol === 'https:') return { url, ...pems }
  const { 'tls-ca': ca, 'tls-cert': cert } = given
  if (ca === undefined && cert === undefined) return { url, ...pems }
  throw new UsageError(`${ca === undefined ? '--tls-cert' : '--tls-ca'} is for an https: URL, got ${quote(url.href)}`)
}
