import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { MARK, readLine, type FromSpawner, type SpawnRequest, type ToSpawner } from '../../protocol/spawner-messages.ts'
import { removeFolder } from '../../spawner/folders.ts'
import { killMarked } from '../../spawner/sweep.ts'
import { RemoteChild } from './remote-child.ts'

// Next to this module in the package, with its extension: the same line works from src and from dist.
const PROGRAM = fileURLToPath(new URL(`../../spawner/main${extname(import.meta.url)}`, import.meta.url))

/** Characters of a folder's path above which a socket in it would have too long a name for the system. */
const LONGEST_FOLDER = 60

/** Bytes of a stream's first line, which has two numbers. */
const LONGEST_LINE = 64

/** Milliseconds that the spawner has to end when it is not needed any more. */
const END_WITHIN = 10_000

/** One run of the spawner. */
export class SpawnerSession {
  readonly #folder: string
  /** What the marks of all its children begin with. */
  readonly #mark: string
  readonly #server: Server
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  readonly #children = new Map<number, RemoteChild>()
  #isRetired = false
  #killLate: NodeJS.Timeout | undefined

  /** @param onEnd told when it has ended, whatever ended it. */
  static async open(onEnd: (session: SpawnerSession) => void): Promise<SpawnerSession> {
    const folder = mkdtempSync(join(tmpdir().length > LONGEST_FOLDER ? '/tmp' : tmpdir(), 'coatcheck-'))
    const mark = randomBytes(8).toString('hex')
    const server = createServer()
    let child: ChildProcess | undefined
    try {
      // Children of other users must get to their own folders in it; what else is there they cannot read or write.
      chmodSync(folder, 0o711)
      // In the same turn, whatever happens next: it removes the folder when this process is gone. Away from the terminal:
      // Ctrl-C is for the runner. Its standard input tells it when the runner is gone.
      child = spawn(process.execPath, [PROGRAM, folder, mark], {
        stdio: ['pipe', 'pipe', 'inherit'],
        detached: true,
        env: environmentOf(mark),
      })
      server.listen(socketIn(folder))
      await Promise.all([once(child, 'spawn'), once(server, 'listening')])
      return new SpawnerSession({ folder, mark, server, child, onEnd })
    } catch (error) {
      child?.stdin?.destroy()
      server.close()
      removeFolder(folder)
      throw error
    }
  }

  private constructor({ folder, mark, server, child, onEnd }: SessionParts) {
    this.#folder = folder
    this.#mark = mark
    this.#server = server
    this.#process = child
    server.on('connection', (socket) => void this.#connected(socket))
    // For want of a descriptor, say: the spawner is told by the connection's end.
    server.on('error', () => {})
    server.unref()
    child.unref()
    child.stdin?.on('error', () => {})
    ;(child.stdin as Socket).unref()
    createInterface({ input: child.stdout as Socket }).on('line', (line) => {
      const message = readLine<FromSpawner>(line)
      if (message) this.#receive(message)
    })
    this.#ended = once(child, 'exit').then(() => {
      onEnd(this)
      clearTimeout(this.#killLate)
      this.#lost()
    })
    this.keepAlive(false)
  }

  keepAlive(keeps: boolean): void {
    const stdout = this.#process.stdout as Socket
    // The process too: when it dies, its output ends before it is told of its end.
    for (const handle of [stdout, this.#process]) {
      if (keeps) handle.ref()
      else handle.unref()
    }
  }

  /** @param wanted gives the child up when it aborts, unless it has been started. */
  spawn(request: SpawnRequest, wanted?: AbortSignal): Promise<RemoteChild> {
    const { id } = request
    const child = new RemoteChild({
      streams: request.streams,
      onConnected: () => this.#send({ type: 'connected', id }),
      signal: (signal) => this.#send({ type: 'signal', id, signal }),
    })
    this.#children.set(id, child)
    this.#send({ type: 'spawn', ...request })
    if (wanted) giveUpOn(wanted, child)
    return child.spawned
  }

  /** Whether the streams of children can be connected: not when somebody has cleared its folder away. */
  get isReachable(): boolean {
    return existsSync(socketIn(this.#folder))
  }

  /** It gets no more children, and ends when nothing is left of those that it has. */
  retire(): void {
    this.#isRetired = true
    if (this.#children.size === 0) this.#end()
  }

  async close(): Promise<void> {
    this.#end()
    this.keepAlive(true)
    await this.#ended
  }

  #end(): void {
    this.#process.stdin?.end()
    // It may have been stopped.
    this.#killLate ??= setTimeout(() => this.#process.kill('SIGKILL'), END_WITHIN)
  }

  #send(message: ToSpawner): void {
    this.#process.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  #receive(message: FromSpawner): void {
    const child = this.#children.get(message.id)
    if (!child) return
    switch (message.type) {
      case 'spawned':
        return child.hasSpawned(message)
      case 'failed':
        return child.hasFailed(message.code, message.message)
      case 'exited':
        return child.hasExited(message)
      default:
        this.#children.delete(message.id)
        if (this.#isRetired) this.retire()
        return child.isGone()
    }
  }

  /** A stream of a child's: its first line says which. */
  async #connected(socket: Socket): Promise<void> {
    socket.unref()
    socket.on('error', () => {})
    const [id, fd] = (await firstLineOf(socket))?.split(' ').map(Number) ?? []
    const child = this.#children.get(id as number)
    if (child) child.connected(fd as number, socket)
    else socket.destroy()
  }

  /** The spawner has ended, so that nobody watches over the children any more: they must not go on. */
  #lost(): void {
    this.#server.close()
    killMarked((mark) => mark.startsWith(this.#mark))
    for (const child of this.#children.values()) child.isLost()
    this.#children.clear()
    removeFolder(this.#folder)
  }
}

interface SessionParts {
  folder: string
  mark: string
  server: Server
  child: ChildProcess
  onEnd: (session: SpawnerSession) => void
}

function giveUpOn(signal: AbortSignal, child: RemoteChild): void {
  const giveUp = (): void => child.giveUp()
  if (signal.aborted) giveUp()
  else signal.addEventListener('abort', giveUp, { once: true })
}

function socketIn(folder: string): string {
  return join(folder, 'socket')
}

/** Reads up to the first line break, and leaves the rest for others. Undefined when it ends before, or is no such line. */
function firstLineOf(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let read = Buffer.alloc(0)
    const settle = (line: string | undefined): void => {
      socket.off('data', onData).off('close', onClose)
      resolve(line)
    }
    const onClose = (): void => settle(undefined)
    const onData = (chunk: Buffer): void => {
      read = Buffer.concat([read, chunk])
      const end = read.indexOf('\n')
      if (end < 0 && read.length <= LONGEST_LINE) return
      socket.pause()
      if (end >= 0 && end + 1 < read.length) socket.unshift(read.subarray(end + 1))
      settle(end < 0 ? undefined : read.toString('utf8', 0, end))
    }
    socket.on('data', onData).once('close', onClose)
  })
}

/**
 * The spawner carries the mark itself: so does a child that it has begun to start. Node's options are for the runner's own
 * process: a debugger's port, say, can be had once.
 */
function environmentOf(mark: string): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, [MARK]: outer, ...env } = process.env
  return { ...env, [MARK]: outer === undefined ? mark : `${outer} ${mark}` }
}
