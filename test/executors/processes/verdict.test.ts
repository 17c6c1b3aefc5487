import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { CallError } from '../../../src/index.ts'
import { encodeError } from '../../../src/protocol/encoded-error.ts'
import { lossOf, verdictOn, type Evidence } from '../../../src/executors/processes/verdict.ts'

const CRASHED = { code: 3, signal: null, isMemoryShort: false }

function evidence(known: Partial<Evidence>): Evidence {
  return {
    fn: 'resize',
    exit: CRASHED,
    hasBegun: true,
    hasTransfer: false,
    wasKilled: false,
    wasAskedToEnd: false,
    protocolError: undefined,
    isCutOff: false,
    uncaught: undefined,
    stderr: undefined,
    ...known,
  }
}

function errorIn(known: Partial<Evidence>): CallError {
  const verdict = verdictOn(evidence(known))
  ok('error' in verdict && verdict.error instanceof CallError)
  return verdict.error
}

const protocolError = new CallError('PROTOCOL_ERROR', 'garbage')

test("the runner's own kill weighs more than all else that is known", () => {
  const all = { wasKilled: true, protocolError, isCutOff: true, hasBegun: false }
  equal(verdictOn(evidence(all)).type, 'killed')
  equal(verdictOn(evidence({ ...all, exit: { ...CRASHED, exceeded: 'memory' } })).type, 'killed')
})

test('an end that nobody waits for any longer is a kill', () => {
  equal(verdictOn(evidence({ exit: undefined })).type, 'killed')
})

test('a limit weighs more than broken rules, and those more than how the process ended', () => {
  equal(errorIn({ protocolError, exit: { ...CRASHED, exceeded: 'memory' } }).code, 'OUT_OF_MEMORY')
  equal(errorIn({ protocolError, isCutOff: true }), protocolError)
  equal(errorIn({ isCutOff: true }).code, 'PROTOCOL_ERROR')
})

test('an answer that a signal or an error nobody caught has cut off breaks no rule', () => {
  const signal = { code: null, signal: 'SIGSEGV', isMemoryShort: false } as const
  deepEqual(
    [errorIn({ isCutOff: true, exit: signal })].map(({ code, signal: by }) => [code, by]),
    [['WORKER_CRASHED', 'SIGSEGV']],
  )
  const error = errorIn({ isCutOff: true, uncaught: encodeError(new RangeError('nobody')) })
  equal(error.code, 'WORKER_CRASHED')
  ok(error.cause instanceof RangeError)
})

test('a crash before the function began leaves the call to another process, unless it was to end', () => {
  const verdict = verdictOn(evidence({ hasBegun: false }))
  ok(verdict.type === 'unbegun')
  deepEqual([verdict.error.code, verdict.error.started, verdict.error.retryable], ['WORKER_CRASHED', 'no', true])
  equal(verdictOn(evidence({ hasBegun: false, wasAskedToEnd: true })).type, 'failed')
  equal(verdictOn(evidence({ hasBegun: false, protocolError })).type, 'failed')
})

test('what needed too much before it began would need that again', () => {
  for (const exceeded of ['memory', 'cpuTime'] as const) {
    const error = errorIn({ hasBegun: false, exit: { ...CRASHED, exceeded } })
    deepEqual([error.started, error.retryable], ['no', false])
  }
})

test('a crash after it was asked to end was its own way to end', () => {
  const verdict = verdictOn(evidence({ wasAskedToEnd: true }))
  ok(verdict.type === 'failed')
  equal(verdict.byItself, true)
})

test('a kill by the system while memory ran short is told as probable, and other kills are crashes', () => {
  const killed = { code: null, signal: 'SIGKILL', isMemoryShort: true } as const
  const short = errorIn({ exit: killed })
  deepEqual([short.code, short.signal], ['OUT_OF_MEMORY', 'SIGKILL'])
  ok(short.message.includes('probably'))
  equal(errorIn({ exit: { ...killed, isMemoryShort: false } }).code, 'WORKER_CRASHED')
  equal(errorIn({ exit: { ...killed, signal: 'SIGTERM' } }).code, 'WORKER_CRASHED')
})

test('how a process ended before it was ready is told in the same words', () => {
  const about = {
    fn: 'the functions module',
    hasBegun: false,
    hasTransfer: false,
    uncaught: undefined,
    stderr: undefined,
  }
  const error = lossOf(about, CRASHED)
  deepEqual([error.code, error.started, error.exitCode], ['WORKER_CRASHED', 'no', 3])
})
