import { ok } from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { ProcessorWaits } from '../../bench/harness/processor-waits.ts'
import { needsLinux } from '../fixtures/processes/harness.ts'

const SPIN = `
  const { parentPort } = require('node:worker_threads')
  parentPort.postMessage('spins')
  for (;;);`

/** A thread that uses a processor until the test is over. */
async function startSpinning(t: TestContext): Promise<void> {
  const worker = new Worker(SPIN, { eval: true })
  t.after(() => worker.terminate())
  await new Promise((resolve) => worker.once('message', resolve))
}

function spin(milliseconds: number): void {
  for (const until = performance.now() + milliseconds; performance.now() < until;);
}

test('a thread that shares its processors with others has waited for them', needsLinux, async (t) => {
  const waits = new ProcessorWaits()
  t.after(() => waits.close())
  const before = waits.waited
  await Promise.all(Array.from({ length: availableParallelism() }, () => startSpinning(t)))
  spin(500)
  // Its share would be less than the half of it.
  ok(waits.waited - before > 10, `${waits.waited - before} ms`)
})
