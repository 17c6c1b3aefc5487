import { createRunner, type FunctionOptions } from '../../src/index.ts'
import * as calls from '../fixtures/calls.ts'
import { cacheCompiled } from '../helpers/compile-cache.ts'
import { CALLS } from '../suites/place.ts'
import { runnerSuite } from '../suites/runner-suite.ts'

const MEGABYTE = 1_048_576

cacheCompiled()

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
    quickCalls: false,
  },

  create({ atOnce = 2, memoryLimit, functions = CALLS, define, ...others }) {
    // For places that know threads.
    const { inOneThread: _notHere, isFresh: _always, ...options } = others
    const limited = memoryLimit === undefined ? {} : withMemory(memoryLimit)
    return createRunner({
      functions,
      isolation: 'process',
      processes: { max: atOnce },
      define: { ...limited, ...define },
      ...options,
    })
  },
})

/** A process has less for its functions than a thread does: Node itself is in it. */
function withMemory(megabytes: number): Record<string, FunctionOptions> {
  const names = Object.entries(calls).flatMap(([name, value]) =>
    typeof value === 'function' && name !== 'default' ? [name] : [],
  )
  return Object.fromEntries(names.map((name) => [name, { memory: (megabytes + 128) * MEGABYTE }]))
}
