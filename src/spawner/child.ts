import { spawn, type ChildProcess } from 'node:child_process'
import { chownSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import {
  MARK,
  OWN_FOLDER,
  type ExceededLimit,
  type FromSpawner,
  type SpawnRequest,
} from '../protocol/spawner-messages.ts'
import { removeFolderMeanwhile } from './folders.ts'
import { limited } from './limited.ts'
import type { StartTools } from './start-tools.ts'
import { Streams } from './streams.ts'
import { findProgram } from './tools.ts'
import { kernelKills, sharedMemoryOf, type SessionUsage } from './usage.ts'

export interface ChildOwner {
  readonly folder: string
  /** What the marks of all its children begin with. */
  readonly mark: string
  readonly tools: StartTools
  tell(message: FromSpawner): void
  childStarted(child: Child): void
  childEnded(child: Child): void
}

/** One child process, the leader of a process group of its own. */
export class Child {
  readonly id: number
  readonly mark: string
  readonly #request: SpawnRequest
  readonly #owner: ChildOwner
  readonly #countKernelKills: () => number
  readonly #streams: Streams
  #folder: string | undefined
  #process: ChildProcess | undefined
  #exceeded: ExceededLimit | undefined
  #kernelKillsBefore = 0
  /** What it was sent before it had started. */
  #early: NodeJS.Signals | undefined

  /** @param countKernelKills gives how many processes the kernel has killed for want of memory. */
  constructor(request: SpawnRequest, owner: ChildOwner, countKernelKills = kernelKills) {
    this.id = request.id
    this.mark = `${owner.mark}-${request.id}`
    this.#request = request
    this.#owner = owner
    this.#countKernelKills = countKernelKills
    this.#streams = new Streams(join(owner.folder, 'socket'))
  }

  get isWatched(): boolean {
    const { memory, cpuTime } = this.#request.limits
    return memory !== undefined || cpuTime !== undefined
  }

  /** Starts the process, with its streams connected straight to the runner. Never rejects. */
  async start(): Promise<void> {
    try {
      await this.#streams.connect(this.id, this.#request.streams)
      if (this.#early === 'SIGKILL') throw new Error('it was killed before it was started')
      await this.#spawn()
      this.#owner.tell({ type: 'spawned', id: this.id, pid: this.pid, tools: this.#owner.tools.prefix })
      this.#owner.childStarted(this)
    } catch (error) {
      const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException
      this.#owner.tell({ type: 'failed', id: this.id, code, message })
      this.#owner.childEnded(this)
    } finally {
      // The child has its own.
      this.#streams.close()
    }
  }

  /** The runner has its ends of the streams. */
  connected(): void {
    this.#streams.taken()
  }

  /** Signals the process and all in its group, unless it has ended: then its number may be somebody else's. */
  signal(signal: NodeJS.Signals): void {
    if (this.#process === undefined) this.#early = this.#early === 'SIGKILL' ? 'SIGKILL' : signal
    else if (this.#process.exitCode === null && this.#process.signalCode === null) this.#signalGroup(signal)
  }

  /** 0 before it is started. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Ends a process that uses more than it may, together with what is in its session: what it started, mostly. */
  checkLimits(usage: SessionUsage): void {
    if (this.#exceeded) return
    const { memory = Infinity, cpuTime = Infinity } = this.#request.limits
    const isAlone = usage.processes.length === 1
    // What they share was counted for each of them.
    if (usage.memory > memory && (isAlone || sharedMemoryOf(usage.processes) > memory)) this.#exceeded = 'memory'
    else if (usage.cpuTime > cpuTime) this.#exceeded = 'cpuTime'
    if (this.#exceeded) this.signal('SIGKILL')
  }

  async removeFolder(): Promise<void> {
    if (this.#folder !== undefined) await removeFolderMeanwhile(this.#folder)
  }

  #spawn(): Promise<void> {
    const { uid, gid, cwd } = this.#request
    const folder = mkdtempSync(join(this.#owner.folder, 'tmp-'))
    this.#folder = folder
    if (uid !== undefined || gid !== undefined) chownSync(folder, uid ?? -1, gid ?? -1)
    const env: Record<string, string> = { ...this.#request.env, TMPDIR: folder, [MARK]: marksWith(this.mark) }
    // Behind other programs it would be their error, which is told in words only.
    const [program = '', ...args] = this.#request.command.map((part) => part.replace(OWN_FOLDER, folder))
    const whole = [findProgram(program, env['PATH'], cwd), ...args]
    const { command, asUser } = limited(whole, this.#request, this.#owner.tools)
    this.#kernelKillsBefore = this.#countKernelKills()
    return new Promise((resolve, reject) => {
      const child = spawn(command[0] as string, command.slice(1), {
        cwd,
        env,
        stdio: this.#streams.all,
        // A session and a process group of its own.
        detached: true,
        ...asUser,
      })
      child.once('error', reject)
      if (child.pid === undefined) return
      this.#process = child
      child.once('exit', (code, signal) => this.#exited(code, signal))
      if (this.#early) this.signal(this.#early)
      resolve()
    })
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    const isMemoryShort = this.#countKernelKills() > this.#kernelKillsBefore
    const exceeded = this.#exceeded && { exceeded: this.#exceeded }
    this.#owner.tell({ type: 'exited', id: this.id, code, signal, ...exceeded, isMemoryShort })
    // No process has its number, so the group of that number is still its own, if there is one.
    if (!isAlive(this.#process?.pid as number)) this.#signalGroup('SIGKILL')
    this.#owner.childEnded(this)
  }

  #signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.#process?.pid as number), signal)
    } catch {
      // There is nobody in the group any more.
    }
  }
}

/** A runner may itself run in a child of another's: whatever that one starts is the other's too. */
function marksWith(mark: string): string {
  const outer = process.env[MARK]
  return outer === undefined ? mark : `${outer} ${mark}`
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
