import { Authority } from '../../helpers/certificates.ts'
import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { runnerSuite } from '../../suites/runner-suite.ts'
import { remotePlace } from './place.ts'

cacheCompiled()

const authority = await Authority.create('the authority of the suite')
const { ca } = authority

runnerSuite(
  remotePlace(
    { tls: { ...(await authority.issue('node')), ca } },
    { tls: { ...(await authority.issue('client')), ca } },
  ),
)
