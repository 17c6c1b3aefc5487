import { createAuthority } from '../../helpers/certificates.ts'
import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { runnerSuite, type RuleGroup } from '../../suites/runner-suite.ts'
import { remotePlace } from './place.ts'

cacheCompiled()

const authority = await createAuthority('the authority of the suite')
const { ca } = authority

// All of them are kept without TLS too. These have to do with connections.
const groups: RuleGroup[] = ['start and wait', 'signal', 'races', 'what functions throw', 'events']

runnerSuite(
  remotePlace(
    { tls: { ...(await authority.certify('node')), ca } },
    { tls: { ...(await authority.certify('client')), ca } },
  ),
  process.env['COATCHECK_LONG_TESTS'] === '1' ? undefined : groups,
)
