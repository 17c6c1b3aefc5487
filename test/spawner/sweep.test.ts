import { equal, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, test, type TestContext } from 'node:test'
import { MARK } from '../../src/protocol/spawner-messages.ts'
import { killMarked, Sweeper } from '../../src/spawner/sweep.ts'
import { isAlive, needsLinux, untilGone } from '../fixtures/processes/harness.ts'

async function sleeper(t: TestContext, env: Record<string, string>): Promise<number> {
  const child = spawn('sleep', ['1000'], { env: { PATH: process.env['PATH'], ...env }, detached: true })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child.pid ?? 0
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
    await new Sweeper().sweep(mark)
    for (const pid of marked) await untilGone(pid)
    for (const pid of unmarked) ok(isAlive(pid))
    for (const pid of unmarked) process.kill(pid, 'SIGKILL')
  })

  test('answers all who ask, also while it goes on', async (t) => {
    const sweeper = new Sweeper()
    const marks = Array.from({ length: 20 }, newMark)
    const pids = await Promise.all(marks.map((mark) => sleeper(t, { [MARK]: mark })))
    const first = marks.slice(0, 10).map((mark) => sweeper.sweep(mark))
    await first[0]
    await Promise.all([...first, ...marks.slice(10).map((mark) => sweeper.sweep(mark))])
    for (const pid of pids) await untilGone(pid)
  })

  test('that finds nothing says that it has looked', () => {
    equal(
      killMarked(() => false),
      true,
    )
  })

  test('also ends what starts others while it goes on', async (t) => {
    const mark = newMark()
    // Each ends when it has started the next.
    const script = 'setsid sh -c "$0" "$0" & sleep 0.01'
    const child = spawn('sh', ['-c', script, script], { env: { PATH: process.env['PATH'], [MARK]: mark } })
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
