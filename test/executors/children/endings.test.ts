import { equal, match } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { processLost } from '../../../src/executors/children/endings.ts'
import type { ChildExit } from '../../../src/executors/children/remote-child.ts'
import type { CallError } from '../../../src/model/errors.ts'

function lost(exit: Partial<ChildExit>): CallError {
  const known = { code: null, signal: null, isMemoryShort: false, ...exit }
  return processLost({ fn: 'work', exit: known, started: 'yes', stderr: undefined })
}

describe('a process that was killed', () => {
  test('while the system was short of memory was so for want of it, probably', () => {
    const error = lost({ signal: 'SIGKILL', isMemoryShort: true })
    equal(error.code, 'OUT_OF_MEMORY')
    match(error.message, /killed by the system, probably for want of memory/)
    equal(error.signal, 'SIGKILL')
  })

  test('while the system had enough memory has crashed', () => {
    equal(lost({ signal: 'SIGKILL' }).code, 'WORKER_CRASHED')
  })

  test('for a limit of its own was so for that, whatever the system had', () => {
    equal(lost({ signal: 'SIGKILL', isMemoryShort: true, exceeded: 'cpuTime' }).code, 'DEADLINE_EXCEEDED')
    const { code, message } = lost({ signal: 'SIGKILL', isMemoryShort: true, exceeded: 'memory' })
    equal(code, 'OUT_OF_MEMORY')
    match(message, /more memory than its limit/)
  })
})

test('a process that ended otherwise while the system was short of memory has crashed', () => {
  equal(lost({ signal: 'SIGSEGV', isMemoryShort: true }).code, 'WORKER_CRASHED')
  equal(lost({ signal: 'SIGTERM', isMemoryShort: true }).code, 'WORKER_CRASHED')
  equal(lost({ code: 137, isMemoryShort: true }).code, 'WORKER_CRASHED')
})
