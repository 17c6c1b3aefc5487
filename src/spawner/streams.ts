import { connect, type Socket } from 'node:net'

/** The streams of a child: sockets whose other ends the runner has. */
export class Streams {
  readonly all: Socket[] = []
  readonly #path: string
  readonly #taken = Promise.withResolvers<void>()

  /** @param path of the runner's socket. */
  constructor(path: string) {
    this.#path = path
  }

  /**
   * Connects them; the first line of each says which one it is. Resolves when the runner has them: a child that it could
   * not hear must not begin.
   *
   * @throws Error with a `code` when one cannot be made, or the runner does not take it.
   */
  async connect(id: number, count: number): Promise<void> {
    for (let fd = 0; fd < count; fd++) {
      const stream = connect(this.#path, () => stream.write(`${id} ${fd}\n`))
      this.all.push(stream)
      stream.on('error', (error) => this.#taken.reject(isClosed(error) ? notTaken() : error))
      stream.on('close', () => this.#taken.reject(notTaken()))
      // To hear of its end. There is nothing else to be heard before the child has it.
      stream.resume()
    }
    await this.#taken.promise
  }

  /** The runner has them. */
  taken(): void {
    for (const stream of this.all) stream.pause()
    this.#taken.resolve()
  }

  close(): void {
    for (const stream of this.all) stream.destroy()
  }
}

/** Closed by the other side, before or after the first line was written. */
function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ECONNRESET'
}

function notTaken(): Error {
  const message = 'the runner did not take the streams of the process: it may have no file descriptors left'
  return Object.assign(new Error(message), { code: 'ECONNRESET' })
}
