// What the maker of certificates needs to be there before it.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  cryptoProvider,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

cryptoProvider.set('node', webcrypto)

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY = 86_400_000

/** A certificate and its key, as PEM. */
export interface Certified {
  cert: string
  key: string
}

/** An authority that tests make for themselves. */
export interface Authority {
  /** Its own certificate, as PEM. */
  ca: string
  /** Certifies a name: for servers on this machine and for clients. */
  certify(name: string, options?: { expired?: boolean }): Promise<Certified>
}

export async function createAuthority(name: string): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const own = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + DAY),
    extensions: [new BasicConstraintsExtension(true, 1, true)],
  })
  return {
    ca: own.toString('pem'),

    async certify(subject, { expired = false } = {}) {
      const { publicKey, privateKey } = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
      const certificate = await X509CertificateGenerator.create({
        subject: subject === '' ? '' : `CN=${subject}`,
        issuer: own.subject,
        publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        notBefore: new Date(Date.now() - DAY),
        notAfter: new Date(Date.now() + (expired ? -1_000 : DAY)),
        extensions: [
          new SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      })
      const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')
      return { cert: certificate.toString('pem'), key }
    },
  }
}
