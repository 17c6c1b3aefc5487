import type { FastifyInstance } from 'fastify'
import type { Http2Session } from 'node:http2'
import type { Socket } from 'node:net'

/** Milliseconds that answers under way have to reach their clients when the node ends. */
const LAST_ANSWERS = 1_000

/**
 * The connections of a node. Node ends those that are idle; but not one on which nothing was asked yet, one that has not come
 * to speak TLS, nor any of HTTP/2.
 */
export class Connections {
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<Http2Session>()
  readonly #app: FastifyInstance

  constructor(app: FastifyInstance) {
    this.#app = app
    app.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    app.server.on('session', (session: Http2Session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
  }

  /** Ends the app: what is under way is answered, then all connections are ended, whatever they are at. */
  async close(): Promise<void> {
    for (const session of this.#sessions) session.close()
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, LAST_ANSWERS)
    await this.#app.close()
    clearTimeout(timer)
  }
}
