import { equal, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { kernelKills, usageOf } from '../../src/spawner/usage.ts'
import { MEGABYTE, needsLinux } from '../fixtures/processes/harness.ts'

test('the use of memory and of processor time is that of the kernel', needsLinux, () => {
  const before = usageOf(process.pid)
  ok(before)
  const kept = Buffer.alloc(64 * MEGABYTE, 1)
  const until = performance.now() + 300
  while (performance.now() < until);
  const after = usageOf(process.pid)
  ok(after)
  ok(after.memory - before.memory > 32 * MEGABYTE)
  // Less than it took where others had the processor.
  ok(after.cpuTime > before.cpuTime)
  equal(kept.length, 64 * MEGABYTE)
})

test('a name with blanks and parentheses does no harm', needsLinux, async (t) => {
  const child = spawn('sleep', ['1000'], { argv0: ') R 1 (' })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  ok((usageOf(child.pid ?? 0)?.memory ?? -1) >= 0)
})

test('a process that has ended uses nothing that is known', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  equal(usageOf(child.pid ?? 0), undefined)
})

test('the kernel counts what it has killed for want of memory', () => {
  ok(Number.isInteger(kernelKills()))
})
