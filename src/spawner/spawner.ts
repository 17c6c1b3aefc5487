import type { FromSpawner, ToSpawner } from '../protocol/spawner-messages.ts'
import { Child, type ChildOwner } from './child.ts'
import { removeFolder } from './folders.ts'
import { LimitWatch } from './limit-watch.ts'
import { StartTools } from './start-tools.ts'
import { killMarked, Sweeper } from './sweep.ts'

/** Starts children, and ends them with all that they have started. */
export class Spawner implements ChildOwner {
  readonly folder: string
  readonly mark: string
  readonly tell: (message: FromSpawner) => void
  readonly tools: StartTools
  readonly #children = new Map<number, Child>()
  readonly #sweeper = new Sweeper()
  readonly #limits = new LimitWatch()

  /**
   * @param folder the runner's: its socket is there, and the children's temporary folders are to be.
   * @param mark what the marks of all its children are to begin with.
   */
  constructor(folder: string, mark: string, tell: (message: FromSpawner) => void) {
    this.folder = folder
    this.mark = mark
    this.tell = tell
    this.tools = new StartTools(folder)
  }

  receive(message: ToSpawner): void {
    switch (message.type) {
      case 'spawn': {
        const child = new Child(message, this)
        this.#children.set(message.id, child)
        void child.start()
        return
      }
      case 'connected':
        this.#children.get(message.id)?.connected()
        return
      default:
        this.#children.get(message.id)?.signal(message.signal)
    }
  }

  childStarted(child: Child): void {
    if (child.isWatched) this.#limits.add(child)
  }

  childEnded(child: Child): void {
    this.#limits.remove(child)
    void this.#clearUp(child)
  }

  /** The runner is gone: nothing is to be left of it. */
  end(): void {
    for (const child of this.#children.values()) child.signal('SIGKILL')
    killMarked((mark) => mark.startsWith(this.mark))
    removeFolder(this.folder)
  }

  /** It has ended: its offspring is to end too. */
  async #clearUp(child: Child): Promise<void> {
    await this.#sweeper.sweep(child.mark)
    this.#children.delete(child.id)
    await child.removeFolder()
    this.tell({ type: 'gone', id: child.id })
  }
}
