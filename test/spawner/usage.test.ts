import { equal, ok } from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { kernelKills, usageOf } from '../../src/spawner/usage.ts'
import { killAfter, MEGABYTE, needsLinux, signposts } from '../fixtures/processes/harness.ts'

function usage(pid = process.pid): NonNullable<ReturnType<typeof usageOf>> {
  const used = usageOf(pid)
  if (!used) throw new Error('there is no such process')
  return used
}

/** Milliseconds of processor time of this process alone, by another way. */
function ownCpuTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Milliseconds by which two numbers in ticks differ that are the same. */
const ROUNDING = 50

function assertNear(actual: number, expected: number, off: number): void {
  ok(Math.abs(actual - expected) <= off, `${actual} is within ${off} of ${expected}`)
}

describe('the use of a process', needsLinux, () => {
  test('of memory is what is resident', () => {
    const before = usage().memory
    const kept = Buffer.alloc(256 * MEGABYTE, 1)
    assertNear(usage().memory - before, 256 * MEGABYTE, 32 * MEGABYTE)
    assertNear(usage().memory, process.memoryUsage.rss(), 4 * MEGABYTE)
    // What was only reserved is not.
    const reserved = new ArrayBuffer(256 * MEGABYTE)
    assertNear(usage().memory, process.memoryUsage.rss(), 4 * MEGABYTE)
    ok(usage().memory - before < 400 * MEGABYTE)
    equal(kept.length, reserved.byteLength)
  })

  test('of the processor is in milliseconds', () => {
    const [before, ownBefore] = [usage().cpuTime, ownCpuTime()]
    while (ownCpuTime() - ownBefore < 300);
    assertNear(usage().cpuTime - before, 300, ROUNDING)
  })

  test("of the processor has that of children that have ended in it, the system's part too", () => {
    const script = `
      const zeros = fs.openSync('/dev/zero')
      const buffer = Buffer.alloc(1_048_576)
      while (process.cpuUsage().system < 200_000) fs.readSync(zeros, buffer)
      while (process.cpuUsage().user < 200_000);`
    const [before, ownBefore] = [usage().cpuTime, ownCpuTime()]
    spawnSync(process.execPath, ['-e', script])
    ok(usage().cpuTime - before - (ownCpuTime() - ownBefore) > 400 - ROUNDING)
  })

  test('is read right whatever the name of its program is', async (t) => {
    const program = join(signposts(t).folder, ') R 1 2 (')
    symlinkSync('/bin/sh', program)
    const script = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; times; read line'
    const child = spawn(program, ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    killAfter(t, child.pid ?? 0)
    const [printed] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    const [, user, system] = /^0m([\d.]+)s 0m([\d.]+)s/.exec(printed) ?? []
    const ms = (Number(user) + Number(system)) * 1_000
    ok(ms > 2 * ROUNDING, `it took ${ms} ms`)
    assertNear(usage(child.pid).cpuTime, ms, ROUNDING)
  })
})

test('a process that has ended uses nothing that is known', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  equal(usageOf(child.pid ?? 0), undefined)
})

describe('what the kernel has killed for want of memory', () => {
  test('is what it counts', (t) => {
    const path = signposts(t).path()
    writeFileSync(path, 'pgfault 5\nnr_oom_kill 4\noom_kill 7\noom_kill_other 6\n')
    equal(kernelKills(path), 7)
  })

  test('is nothing where it does not say', (t) => {
    const path = signposts(t).path()
    equal(kernelKills(path), 0)
    writeFileSync(path, 'pgfault 5\n')
    equal(kernelKills(path), 0)
  })

  test('is looked for where the kernel says it', { skip: !existsSync('/proc/vmstat') && 'needs /proc' }, () => {
    const { stdout } = spawnSync('grep', ['^oom_kill ', '/proc/vmstat'], { encoding: 'utf8' })
    ok(kernelKills() >= Number(stdout.split(' ')[1] ?? 0))
  })
})
