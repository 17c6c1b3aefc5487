import { cacheCompiled } from '../../helpers/compile-cache.ts'
import { runnerSuite } from '../../suites/runner-suite.ts'
import { remotePlace } from './place.ts'

cacheCompiled()

runnerSuite(remotePlace())
