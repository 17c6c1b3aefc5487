import { equal, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Answers } from '../../src/executors/processes/answers.ts'
import { ANSWERS_FD, REQUESTS_FD, type FromProcess, type ToProcess } from '../../src/protocol/process-messages.ts'
import {
  FUNCTIONS,
  isAlive,
  killAfter,
  moduleOf,
  needsLinux,
  pidIn,
  signposts,
  untilGone,
} from '../fixtures/processes/harness.ts'
import { until, type Trail } from '../helpers/latch.ts'

const PROGRAM = fileURLToPath(new URL('../../src/host/process.ts', import.meta.url))

interface Host {
  pid: number
  /** Gives the number of the call that is to begin. */
  beginCall(): number
  send(message: ToProcess): void
  heard(type: FromProcess['type']): Promise<void>
  /** As when the runner and all others who had the other ends are gone. */
  closeStreams(): void
  exited: Promise<NodeJS.Signals | null>
}

/** A function's process without a spawner: it is no child of one that could end it, nor does the system when that ends. */
async function startHost(t: TestContext, functions: URL): Promise<Host> {
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'pipe'],
    detached: true,
    env: {},
  })
  const exited = once(child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null)
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  killAfter(t, pid)
  const [answers, requests] = [ANSWERS_FD, REQUESTS_FD].map((fd) => child.stdio[fd] as Socket) as [Socket, Socket]
  const channel = new Answers(1_000_000)
  const heard = new Set<FromProcess['type']>()
  answers.on('data', (chunk: Buffer) => {
    for (const { type } of channel.push(chunk)) heard.add(type)
  })
  const host: Host = {
    pid,
    beginCall: () => channel.beginCall(),
    send: (message) => {
      for (const part of channel.encode(message)) requests.write(part)
    },
    heard: async (type) => void (await until(type, () => heard.has(type))),
    closeStreams: () => {
      for (const stream of [answers, requests]) stream.destroy()
    },
    exited,
  }
  host.send({ type: 'load', functions: functions.href, logLevel: 'silent', resultLimit: 1_000_000 })
  await host.heard('ready')
  return host
}

/** @param trail of the other process in its group. */
async function assertEndsWith(t: TestContext, host: Host, trail: Trail): Promise<void> {
  const other = await pidIn(trail)
  killAfter(t, other)
  ok(isAlive(host.pid))
  host.closeStreams()
  await untilGone(host.pid)
  equal(await host.exited, 'SIGKILL')
  await untilGone(other)
}

describe('a process whose runner and spawner are gone ends with all in its group', needsLinux, () => {
  test('while it runs a function that waits', async (t) => {
    const host = await startHost(t, FUNCTIONS)
    const trail = signposts(t).trail()
    host.send({
      type: 'run',
      call: host.beginCall(),
      fn: 'startOther',
      args: [trail.path, 'in its group', 'hang', { env: 'empty' }],
      abortAfter: 0,
      isLast: true,
      tellsStart: true,
    })
    await assertEndsWith(t, host, trail)
  })

  test('while it is idle', async (t) => {
    const posts = signposts(t)
    const trail = posts.trail()
    const source = `
      import { spawn } from 'node:child_process'
      import { appendFileSync } from 'node:fs'
      const other = spawn('sleep', ['1000'], { stdio: 'ignore', env: {} })
      appendFileSync(${JSON.stringify(trail.path)}, other.pid + '\\n')
      export const nothing = () => {}`
    const host = await startHost(t, moduleOf(posts, source))
    await assertEndsWith(t, host, trail)
  })
})
