import type { SpawnRequest } from '../../protocol/spawner-messages.ts'
import type { RemoteChild } from './remote-child.ts'
import { SpawnerSession } from './spawner-session.ts'

/** The runner's way to its spawner: the process that starts children for it, and ends them when the runner is gone. */
export class SpawnerClient {
  #session: Promise<SpawnerSession> | undefined
  #lastId = 0
  #isBusy = false

  /** Starts the spawner, if it does not run. @throws Error when it cannot be started. */
  async start(): Promise<void> {
    await this.#open()
  }

  /**
   * Starts a child process. It is the caller's to end.
   *
   * @throws Error with a `code` such as `ENOENT` when it cannot be started.
   */
  async spawn(request: Omit<SpawnRequest, 'id'>): Promise<RemoteChild> {
    const session = await this.#open()
    this.#lastId += 1
    return session.spawn({ ...request, id: this.#lastId })
  }

  /** Whether there are calls: while there are, the process is kept alive. */
  set isBusy(isBusy: boolean) {
    if (isBusy === this.#isBusy) return
    this.#isBusy = isBusy
    void this.#session?.then(
      (session) => session.keepAlive(this.#isBusy),
      () => undefined,
    )
  }

  /** Ends the spawner, and with it whatever is left of its children. */
  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined)
    await session?.close()
  }

  #open(): Promise<SpawnerSession> {
    const opened = (this.#session ??= SpawnerSession.open(() => {
      if (this.#session === opened) this.#session = undefined
    }))
    return opened.then(
      (session) => {
        session.keepAlive(this.#isBusy)
        return session
      },
      (error: unknown) => {
        if (this.#session === opened) this.#session = undefined
        throw error
      },
    )
  }
}
