import { constants } from 'node:buffer'
import type { Clock, Timer } from '../../model/clock.ts'
import { CallError } from '../../model/errors.ts'
import type { ResolvedCommand } from '../../model/process-options.ts'
import { textOf } from '../../protocol/encoded-error.ts'
import { encodeLogValue } from '../../protocol/log-values.ts'
import type { SpawnRequest } from '../../protocol/spawner-messages.ts'
import type { Job, JobEnd, JobListener, JobTimes } from '../executor.ts'
import type { Attempt } from '../children/attempt.ts'
import { lastOf, processLost, resultTooLarge, startErrorOf } from '../children/endings.ts'
import { Output } from '../children/output.ts'
import { settledOrQuiet } from '../children/quiet.ts'
import { NotStarted, SpawnerLost, type ChildExit, type RemoteChild } from '../children/remote-child.ts'

export interface CommandParts<J extends Job> {
  owner: { listener: JobListener<J>; jobEnded(job: J, end: JobEnd, times?: JobTimes): void }
  clock: Clock
  spawn: (request: Omit<SpawnRequest, 'id'>, wanted: AbortSignal) => Promise<RemoteChild>
  /** Milliseconds in which it must be started. */
  startTimeout: number
  command: ResolvedCommand
  job: J
}

/** Milliseconds that the rest of what an ended process has printed may take. */
const DRAIN_WITHIN = 150

/** Milliseconds after which the job of a process that was killed is given up. */
const END_WITHIN = 1_000

/** A command that runs for one job: arguments on its standard input, the value on its standard output. */
export class CommandProcess<J extends Job> implements Attempt {
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>
  startedAt: number | undefined
  readonly #parts: CommandParts<J>
  /** Aborted: it is too late to start. */
  readonly #start = new AbortController()
  #child: RemoteChild | undefined
  #wasKilled = false
  #wasAskedToEnd = false
  #hasEnded = false
  #isTooLarge = false
  #giveUp: Timer | undefined
  readonly #printed: Buffer[] = []
  #printedBytes = 0

  constructor(parts: CommandParts<J>) {
    this.#parts = parts
    this.gone = this.#run().catch((error: unknown) => this.#end({ type: 'failed', error: this.#spawnFailed(error) }))
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  interrupt(): void {
    this.#wasAskedToEnd = true
    this.#child?.signal('SIGTERM')
  }

  kill(): void {
    this.#wasKilled = true
    this.#start.abort()
    this.#child?.signal('SIGKILL')
    this.#giveUp ??= this.#parts.clock.setTimeout(() => this.#end({ type: 'killed' }), END_WITHIN)
  }

  async #run(): Promise<void> {
    const { spawn, command, job, clock, owner, startTimeout } = this.#parts
    const { cwd, env, uid, gid, limits } = command
    let input: string
    try {
      input = command.input === 'json' ? JSON.stringify(job.args) : ''
    } catch (error) {
      // After this turn: the executor does not know this process yet.
      await undefined
      this.#end({ type: 'failed', error: notJson(job.fn, error) })
      return
    }
    let child: RemoteChild
    const late = clock.setTimeout(() => this.#start.abort(), startTimeout, { ref: false })
    try {
      child = await spawn({ command: command.command, streams: 3, cwd, env, uid, gid, limits }, this.#start.signal)
    } catch (error) {
      this.#end(this.#wasKilled ? { type: 'killed' } : { type: 'failed', error: this.#spawnFailed(error) })
      return
    } finally {
      late.clear()
    }
    this.#child = child
    this.startedAt = clock.now()
    // Its job may have been given up meanwhile.
    if (owner.listener.wantsStarted && !this.#hasEnded) owner.listener.started(job)
    // Aborted before it was there.
    if (this.#wasKilled) child.signal('SIGKILL')
    else if (this.#wasAskedToEnd) child.signal('SIGTERM')

    const [stdin, stdout, stderr] = child.streams as [NonNullable<RemoteChild['streams'][0]>, ...RemoteChild['streams']]
    // A command that does not read it, or has ended, is no error: what it prints and its exit status say how it went.
    stdin.end(input)
    const printed = new Promise<void>((resolve) => {
      stdout?.once('end', resolve)
      stdout?.once('close', resolve)
    })
    let printedAt = 0
    stdout?.on('data', (chunk: Buffer) => {
      printedAt = clock.now()
      this.#print(chunk)
    })
    stdout?.resume()
    const errors = new Output(stderr as NonNullable<typeof stderr>, (line) =>
      owner.listener.log(job, 'warn', [encodeLogValue({ stream: 'stderr' }), encodeLogValue(line)]),
    )
    const exit = await child.exited
    // What it had printed is here soon. Its offspring may go on to print for as long as it likes.
    const exitedAt = clock.now()
    const isQuiet = (ms: number): boolean => {
      const now = clock.now()
      return this.#isTooLarge || this.#hasEnded || now - printedAt > ms || now - exitedAt > DRAIN_WITHIN
    }
    await settledOrQuiet(Promise.all([printed, errors.ended]), clock, isQuiet)
    child.closeStreams()
    const startError = startErrorOf(child, exit, errors)
    // It was thought to have begun.
    if (startError) this.startedAt = undefined
    this.#end(this.#endOf(exit, errors, startError))
    await child.gone
  }

  #print(chunk: Buffer): void {
    this.#printedBytes += chunk.length
    if (this.#printedBytes <= this.#parts.command.resultLimit) this.#printed.push(chunk)
    else if (!this.#isTooLarge) {
      this.#isTooLarge = true
      this.#printed.length = 0
      this.#child?.signal('SIGKILL')
    }
  }

  #end(end: JobEnd): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#giveUp?.clear()
    const { owner, job, clock } = this.#parts
    const { pid, startedAt } = this
    const times = startedAt === undefined ? undefined : { cpid: pid, startedAt, endedAt: clock.now() }
    owner.jobEnded(job, end, times)
  }

  #endOf(exit: ChildExit, stderr: Output, startError: Error | undefined): JobEnd {
    const { command, job } = this.#parts
    const { fn } = job
    // One with an exit status had ended before it could be killed.
    if (this.#wasKilled && exit.code === null) return { type: 'killed' }
    if (startError) return { type: 'failed', error: this.#spawnFailed(startError) }
    if (this.#isTooLarge) return { type: 'failed', error: resultTooLarge(fn, command.resultLimit) }
    if (exit.code !== 0) return this.#lost(exit, stderr)
    const text = textIn(this.#printed)
    if (text === undefined) return { type: 'failed', error: tooLongForText(fn, this.#printedBytes) }
    if (command.output === 'text') return { type: 'returned', value: text }
    try {
      return { type: 'returned', value: JSON.parse(text) as unknown }
    } catch (error) {
      // One that was asked to end, and did so without a word.
      if (this.#wasAskedToEnd || this.#wasKilled) return this.#lost(exit, stderr)
      const details = { fn, cause: error, ...lastOf(stderr) }
      const message = `the output of "${fn}" is not one JSON document: ${textOf(error)}`
      return { type: 'failed', error: new CallError('PROTOCOL_ERROR', message, details) }
    }
  }

  #lost(exit: ChildExit, stderr: Output): JobEnd {
    const error = processLost({ fn: this.#parts.job.fn, exit, started: 'yes', stderr })
    return { type: 'failed', error, byItself: this.#wasAskedToEnd || this.#wasKilled }
  }

  #spawnFailed(error: unknown): CallError {
    const { job, startTimeout } = this.#parts
    const { fn } = job
    const said = error instanceof Error ? error.message : textOf(error)
    const why = error instanceof NotStarted ? `${said} within startTimeout, ${startTimeout} ms` : said
    // One whose spawner ended meanwhile may have begun.
    const mayHaveBegun = error instanceof SpawnerLost || (error instanceof NotStarted && error.mayHaveBegun)
    const started = mayHaveBegun ? ({ started: 'unknown', retryable: false } as const) : {}
    return new CallError('SPAWN_FAILED', `"${fn}" could not be started: ${why}`, { fn, cause: error, ...started })
  }
}

/** As one string; undefined when it would be longer than strings can be. */
function textIn(chunks: readonly Buffer[]): string | undefined {
  try {
    return Buffer.concat(chunks).toString('utf8')
  } catch {
    return undefined
  }
}

function tooLongForText(fn: string, bytes: number): CallError {
  const message = `the output of "${fn}" has ${bytes} bytes, and no text more than ${constants.MAX_STRING_LENGTH} characters`
  return new CallError('RESULT_TOO_LARGE', message, { fn })
}

function notJson(fn: string, cause: unknown): CallError {
  const message = `args of "${fn}" cannot be written as JSON, which a command reads: ${textOf(cause)}`
  return new CallError('NOT_CLONEABLE', message, { fn, cause })
}
