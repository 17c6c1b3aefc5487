import { createRunner } from '../../src/index.ts'
import { CALLS } from '../suites/place.ts'
import { runnerSuite } from '../suites/runner-suite.ts'

runnerSuite({
  capabilities: {
    transfer: true,
    killsBusyLoops: true,
    functionLogs: true,
    memoryLimit: true,
    answersAfterClose: true,
    knowsFunctions: true,
    lateIds: true,
    servesUnloadable: true,
    callTimes: true,
    quickCalls: true,
  },

  create({ atOnce = 2, inOneThread = false, isFresh: _always, memoryLimit, functions = CALLS, ...options }) {
    const places = inOneThread ? { max: 1, concurrency: atOnce } : { max: atOnce }
    const resourceLimits = memoryLimit === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimit } }
    return createRunner({ functions, threads: { ...places, ...resourceLimits }, ...options })
  },
})
