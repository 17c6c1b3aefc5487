import type { SpawnRequest } from '../../protocol/spawner-messages.ts'
import { SpawnerLost, type RemoteChild } from './remote-child.ts'
import type { SpawnerSession } from './spawner-session.ts'

/** The runner's way to its spawner: the process that starts children for it, and ends them when the runner is gone. */
export class SpawnerClient {
  /** Of the one that starts children. */
  #opening: Promise<SpawnerSession> | undefined
  /** The same, once it is open. */
  #current: SpawnerSession | undefined
  /** All that have not ended: also those that only see their last children through. */
  readonly #sessions = new Set<SpawnerSession>()
  #lastId = 0
  #keepsAlive = false
  #isClosed = false

  /** Starts the spawner, if it does not run. @throws Error when it cannot be started. */
  async start(): Promise<void> {
    await this.#open()
  }

  /**
   * Starts a child process. It is the caller's to end.
   *
   * @param wanted when it aborts, the child is not waited for any more, unless it has been started.
   * @throws Error with a `code` such as `ENOENT` when it cannot be started; `NotStarted` when it was given up.
   */
  async spawn(request: Omit<SpawnRequest, 'id'>, wanted?: AbortSignal): Promise<RemoteChild> {
    const session = await this.#open()
    try {
      return await session.spawn({ ...request, id: this.#nextId() }, wanted)
    } catch (error) {
      // A lost one may have begun to start it. One whose folder was cleared away has not, and never will start any.
      if (error instanceof SpawnerLost || wanted?.aborted || session.isReachable || this.#isClosed) throw error
      this.#replace(session)
      session.retire()
      return (await this.#open()).spawn({ ...request, id: this.#nextId() }, wanted)
    }
  }

  /** @param keeps whether the process is to live on for what the spawner tells: while there are calls. */
  keepAlive(keeps: boolean): void {
    if (keeps === this.#keepsAlive) return
    this.#keepsAlive = keeps
    for (const session of this.#sessions) session.keepAlive(keeps)
  }

  /** Ends the spawner, and with it whatever is left of its children. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening?.catch(() => undefined)
    await Promise.all(Array.from(this.#sessions, (session) => session.close()))
  }

  #nextId(): number {
    this.#lastId += 1
    return this.#lastId
  }

  #open(): Promise<SpawnerSession> {
    return (this.#opening ??= this.#openNew())
  }

  async #openNew(): Promise<SpawnerSession> {
    try {
      // Not before: what it needs of Node takes long to load, and a runner without processes never needs it.
      const { SpawnerSession } = await import('./spawner-session.ts')
      const session = await SpawnerSession.open((ended) => {
        this.#sessions.delete(ended)
        this.#replace(ended)
      })
      this.#current = session
      this.#sessions.add(session)
      session.keepAlive(this.#keepsAlive)
      return session
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  /** The next child has another one. */
  #replace(session: SpawnerSession): void {
    if (this.#current !== session) return
    this.#current = undefined
    this.#opening = undefined
  }
}
