import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { describe, test, type TestContext } from 'node:test'
import { MARK } from '../../src/protocol/spawner-messages.ts'
import { killMarked, Sweeper } from '../../src/spawner/sweep.ts'
import { isAlive, needsLinux, untilGone } from '../fixtures/processes/harness.ts'
import { within } from '../fixtures/threads/harness.ts'
import { until } from '../helpers/latch.ts'

async function sleeper(t: TestContext, env: Record<string, string>): Promise<number> {
  const child = spawn('sleep', ['1000'], { env: { PATH: process.env['PATH'], ...env }, detached: true })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child.pid ?? 0
}

/** The numbers of the processes that are killed from now on. What is killed may take a while to be gone, but it is to be. */
function watchKills(t: TestContext, onKill = (): void => {}): Set<number> {
  const killed = new Set<number>()
  const { kill } = process
  t.mock.method(process, 'kill', (pid: number, signal: NodeJS.Signals) => {
    if (signal === 'SIGKILL') killed.add(pid)
    onKill()
    return Reflect.apply(kill, process, [pid, signal])
  })
  return killed
}

function newMark(): string {
  return randomBytes(8).toString('hex')
}

describe('a sweep', needsLinux, () => {
  test('ends the processes with that mark, whatever their session, and no others', async (t) => {
    const [mark, other] = [newMark(), newMark()]
    const marked = await Promise.all([
      sleeper(t, { [MARK]: mark }),
      sleeper(t, { A: '1', [MARK]: mark, B: '2' }),
      sleeper(t, { [MARK]: `${other} ${mark}` }),
    ])
    const unmarked = await Promise.all([
      sleeper(t, { [MARK]: other }),
      sleeper(t, { [MARK]: `${mark}1` }),
      sleeper(t, { [`X${MARK}`]: mark }),
      sleeper(t, { OTHER: `${MARK}=${mark}` }),
      sleeper(t, {}),
    ])
    const killed = watchKills(t)
    await new Sweeper().sweep(mark)
    deepEqual(killed, new Set(marked))
    for (const pid of marked) await untilGone(pid)
    for (const pid of unmarked) ok(isAlive(pid))
  })

  test('answers all who ask, also while it goes on', async (t) => {
    const sweeper = new Sweeper()
    const marks = Array.from({ length: 20 }, newMark)
    const pids = await Promise.all(marks.map((mark) => sleeper(t, { [MARK]: mark })))
    const killed = watchKills(t)
    const sweep = async (i: number): Promise<void> => {
      await sweeper.sweep(marks[i] ?? '')
      ok(killed.has(pids[i] ?? 0), 'not before it was done')
    }
    const first = Array.from({ length: 10 }, (_, i) => sweep(i))
    await first[0]
    for (const pid of pids.slice(10)) ok(isAlive(pid), 'nobody has asked yet')
    const all = [...first, ...Array.from({ length: 10 }, (_, i) => sweep(10 + i))]
    await within(30_000, Promise.all(all), 'not all are answered')
    for (const pid of pids) await untilGone(pid)
  })

  test('looks again: what is started while it looks ends too', async (t) => {
    const mark = newMark()
    const begun = [sleeper(t, { [MARK]: mark })]
    await begun[0]
    const killed = watchKills(t, () => {
      // After it has read which processes there are.
      if (begun.length < 4) begun.push(sleeper(t, { [MARK]: mark }))
    })
    // What was killed last may need a while to end.
    notEqual(
      killMarked((each) => each === mark),
      'unknown',
    )
    deepEqual(killed, new Set(await Promise.all(begun)))
    equal(begun.length, 4)
  })

  test('goes on until it could look, for want of a file descriptor, say', async (t) => {
    const mark = newMark()
    const pid = await sleeper(t, { [MARK]: mark })
    const read = t.mock.method(fs, 'readdirSync')
    let refused = 0
    read.mock.mockImplementation(() => {
      refused += 1
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    })
    const restore = (): void => {
      read.mock.restore()
      syncBuiltinESMExports()
    }
    t.after(restore)
    syncBuiltinESMExports()
    const swept = new Sweeper().sweep(mark)
    let isSwept = false
    void swept.then(() => {
      isSwept = true
    })
    await until('three tries', () => refused >= 3)
    deepEqual([isSwept, isAlive(pid)], [false, true])
    restore()
    await swept
    await untilGone(pid)
  })

  test('that finds nothing says that it has looked', () => {
    equal(
      killMarked(() => false),
      'none',
    )
  })

  test('also ends what starts others while it goes on', async (t) => {
    const mark = newMark()
    // Each ends when it has started the next. Not for ever: a test that fails is not to leave that behind.
    const script = '[ $1 -gt 0 ] || exit; setsid sh -c "$0" "$0" $(($1 - 1)) & sleep 0.01'
    const child = spawn('sh', ['-c', script, script, '3000'], {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], [MARK]: mark },
    })
    t.after(() => killMarked((each) => each === mark))
    await once(child, 'exit')
    const sweeper = new Sweeper()
    let survivors = true
    // One that starts processes faster than they are found may take more than one sweep.
    for (let i = 0; i < 50 && survivors; i++) {
      await sweeper.sweep(mark)
      survivors = false
      killMarked((each) => {
        survivors ||= each === mark
        return false
      })
    }
    equal(survivors, false)
  })
})
