import type { Socket } from 'node:net'
import type { FromSpawner } from '../../protocol/spawner-messages.ts'

export interface ChildExit extends Omit<FromSpawner & { type: 'exited' }, 'type' | 'id'> {
  /** Its spawner has ended, and it along: nobody knows how. */
  lost?: SpawnerLost
}

const UNKNOWN_EXIT: ChildExit = { code: null, signal: null, isMemoryShort: false }

/** The process that starts children has ended. Those that it was starting may have begun. */
export class SpawnerLost extends Error {
  readonly code = 'ESPAWNER'

  constructor() {
    super('the process that starts children has ended')
  }

  static {
    this.prototype.name = 'SpawnerLost'
  }
}

/** A child was given up before it was known to be started. */
export class NotStarted extends Error {
  readonly code = 'ETIMEDOUT'
  readonly mayHaveBegun: boolean

  constructor(mayHaveBegun: boolean) {
    super('the process that starts children has not started it')
    this.mayHaveBegun = mayHaveBegun
  }

  static {
    this.prototype.name = 'NotStarted'
  }
}

export interface RemoteChildParts {
  /** How many streams it has. */
  streams: number
  /** Its streams are all there: it can be started. */
  onConnected: () => void
  /** Signals it and all in its process group. */
  signal: (signal: 'SIGTERM' | 'SIGKILL') => void
}

/** A child process that the spawner starts, seen from the runner. */
export class RemoteChild {
  pid = 0
  /** What an error on its standard error begins with that was written before it was its own program. */
  tools = ''
  /** The runner's ends of the child's file descriptors, from 0 on. They are paused: nothing is lost before it is read. */
  readonly streams: Socket[] = []
  readonly #parts: RemoteChildParts
  readonly #spawned = Promise.withResolvers<this>()
  readonly #exited = Promise.withResolvers<ChildExit>()
  readonly #gone = Promise.withResolvers<void>()
  #connected = 0
  #isGivenUp = false
  #hasExited = false

  constructor(parts: RemoteChildParts) {
    this.#parts = parts
    // Whoever waits for it hears of it; nobody has to.
    this.#spawned.promise.catch(() => {})
  }

  /** When it has been started. Rejects with an error with a `code` when it cannot be. */
  get spawned(): Promise<this> {
    return this.#spawned.promise
  }

  /** How it has ended. */
  get exited(): Promise<ChildExit> {
    return this.#exited.promise
  }

  /** Nothing of it is left, neither processes nor files. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** Signals the child and all in its process group, unless it has ended. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (!this.#hasExited) this.#parts.signal(signal)
  }

  /** Nobody waits any longer for it to be started: it is not to be, and is killed at once if it is all the same. */
  giveUp(): void {
    if (this.#hasExited || this.pid !== 0) return
    this.#isGivenUp = true
    this.signal('SIGKILL')
    // Without all its streams it does not begin.
    this.#spawned.reject(new NotStarted(this.#connected === this.#parts.streams))
    this.closeStreams()
  }

  closeStreams(): void {
    for (const stream of this.streams) stream?.destroy()
  }

  // What the spawner tells

  connected(fd: number, socket: Socket): void {
    const isExpected = fd >= 0 && fd < this.#parts.streams && !this.streams[fd]
    // It may also come late: what failed to be started has no use for it.
    if (!isExpected || this.#hasExited || this.#isGivenUp) {
      socket.destroy()
      return
    }
    this.streams[fd] = socket
    this.#connected += 1
    if (this.#connected === this.#parts.streams) this.#parts.onConnected()
  }

  hasSpawned({ pid, tools }: FromSpawner & { type: 'spawned' }): void {
    this.pid = pid
    this.tools = tools
    this.#spawned.resolve(this)
  }

  hasFailed(code: string, message: string): void {
    this.#end(UNKNOWN_EXIT, Object.assign(new Error(message), { code }))
  }

  hasExited({ code, signal, exceeded, isMemoryShort }: FromSpawner & { type: 'exited' }): void {
    this.#hasExited = true
    this.#exited.resolve({ code, signal, isMemoryShort, ...(exceeded && { exceeded }) })
  }

  isGone(): void {
    this.#gone.resolve()
  }

  /** The spawner is gone, and the child with it. */
  isLost(): void {
    if (!this.#hasExited) {
      const lost = new SpawnerLost()
      this.#end({ ...UNKNOWN_EXIT, lost }, lost)
    }
    this.#gone.resolve()
  }

  #end(exit: ChildExit, error: Error): void {
    this.#hasExited = true
    this.#spawned.reject(error)
    // Of one that ran, somebody reads on: to the end, which has come.
    if (this.pid === 0) this.closeStreams()
    this.#exited.resolve(exit)
  }
}
