import { createAuthority } from '../../helpers/certificates.ts'
import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { runnerSuite } from '../../suites/runner-suite.ts'
import { remotePlace } from './place.ts'

cacheCompiled()

const authority = await createAuthority('the authority of the suite')
const { ca } = authority

runnerSuite(
  remotePlace(
    { tls: { ...(await authority.certify('node')), ca } },
    { tls: { ...(await authority.certify('client')), ca } },
  ),
)
