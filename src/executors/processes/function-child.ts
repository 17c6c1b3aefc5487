import type { Socket } from 'node:net'
import type { Clock } from '../../model/clock.ts'
import { ANSWERS_FD, REQUESTS_FD, type FromProcess, type ToProcess } from '../../protocol/process-messages.ts'
import { settledOrQuiet } from '../children/quiet.ts'
import type { ChildExit, RemoteChild } from '../children/remote-child.ts'
import { Answers } from './answers.ts'
import { Prints, type TellLine } from './prints.ts'

/** What a child's owner hears of it. */
export interface FunctionChildListener<J> {
  /** What is said from now on means nothing any more. */
  readonly isDeaf: boolean
  receive(message: FromProcess): void
  /** What it said breaks the rules. */
  misread(error: unknown): void
  /** It has closed its answers: mostly, because it ends. */
  answersEnded(): void
  readonly tellLine: TellLine<J>
}

/** A child process with the functions' host in it, and what is said to it and by it. */
export class FunctionChild<J> {
  /** How it has ended; resolves when it has exited, and all that it wrote was read. */
  readonly exited: Promise<ChildExit>
  hasExited = false
  readonly #child: RemoteChild
  readonly #clock: Clock
  readonly #answers: Answers
  readonly #prints: Prints<J>
  readonly #listener: FunctionChildListener<J>
  #heardAt = 0

  /** @param resultLimit bytes that a result may have. */
  constructor(child: RemoteChild, clock: Clock, resultLimit: number, listener: FunctionChildListener<J>) {
    this.#child = child
    this.#clock = clock
    this.#answers = new Answers(resultLimit)
    this.#prints = new Prints<J>(child, listener.tellLine)
    this.#listener = listener
    // Functions that read from it find that there is nothing.
    child.streams[0]?.end()
    this.exited = this.#watch()
  }

  get pid(): number {
    return this.#child.pid
  }

  /** What an error on its standard error begins with that was written before it was its own program. */
  get tools(): string {
    return this.#child.tools
  }

  /** Bytes of what it was sent that it has not taken yet. */
  get unread(): number {
    return this.#requests.writableLength
  }

  /** Whether its last answer is not whole. */
  get isCutOff(): boolean {
    return this.#answers.isPartial
  }

  get stderr(): Prints<J>['stderr'] {
    return this.#prints.stderr
  }

  /** From now on it has a call, of the number that is returned, and what it prints is the call's. */
  beginCall(job: J): number {
    this.#prints.belongTo(job)
    return this.#answers.beginCall()
  }

  endCall(): void {
    this.#answers.endCall()
  }

  /**
   * @returns how many bytes that is.
   * @throws Error `DataCloneError` for what cannot travel.
   */
  send(message: ToProcess): number {
    let bytes = 0
    for (const part of this.#answers.encode(message)) {
      bytes += part.length
      this.#requests.write(part)
    }
    return bytes
  }

  /** It is sent nothing more. */
  endRequests(): void {
    this.#requests.end()
  }

  /** Signals it and all in its process group, unless it has ended. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.signal(signal)
  }

  get #requests(): Socket {
    return this.#child.streams[REQUESTS_FD] as Socket
  }

  async #watch(): Promise<ChildExit> {
    const answers = this.#child.streams[ANSWERS_FD] as Socket
    const answered = new Promise<void>((resolve) => {
      answers.once('end', resolve)
      answers.once('close', resolve)
    })
    answers.on('data', (chunk: Buffer) => {
      this.#heardAt = this.#clock.now()
      this.#hear(chunk)
    })
    answers.resume()
    void answered.then(() => this.#listener.answersEnded())
    const exit = await this.#child.exited
    this.hasExited = true
    const isQuiet = (ms: number): boolean => this.#listener.isDeaf || this.#clock.now() - this.#heardAt > ms
    await settledOrQuiet(Promise.all([answered, this.#prints.ended]), this.#clock, isQuiet)
    this.#child.closeStreams()
    return exit
  }

  #hear(chunk: Buffer): void {
    const listener = this.#listener
    if (listener.isDeaf) return
    try {
      for (const message of this.#answers.push(chunk)) {
        listener.receive(message)
        if (listener.isDeaf) return
      }
    } catch (error) {
      listener.misread(error)
    }
  }
}
