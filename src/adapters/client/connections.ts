import { Socket } from 'node:net'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { buildConnector, Client } from 'undici'

/** How the client proves who it is, and by what it knows the node. Each as for `node:tls`. */
export interface TlsOptions extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'pfx'> {
  /** The name that the node's certificate has to be for. Default: the host of the URL. */
  servername?: string
}

export interface ConnectionsOptions {
  /** Scheme, host and port of the node. */
  origin: string
  tls: TlsOptions
  /** Milliseconds that a connection may take to be made. */
  connectTimeout: number
}

/** Requests under way that a connection takes over HTTP/2: as many as every server has to let in. */
const STREAMS = 100

/** One connection, made when there is a request for it. */
export interface Connection {
  readonly client: Client
  end(): Promise<void>
  /** Requests under way. */
  load: number
  isOpen: boolean
}

/**
 * The connections to one node. Over HTTP/1.1 each request under way has one of its own, as an answer that is held back
 * holds up all that is behind it; over HTTP/2 they share one.
 */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #connect: buildConnector.connector
  /** The first ones are taken first, so that the last ones come to be idle, and end. */
  readonly #all: Connection[] = []
  /** Requests that fit into a connection: known when there is one. */
  #room = 1

  constructor(options: ConnectionsOptions) {
    this.#options = options
    const { tls, connectTimeout } = options
    const connect = buildConnector({ ...tls, minVersion: 'TLSv1.2', allowH2: true, timeout: connectTimeout })
    this.#connect = (target, callback) =>
      connect(target, (...made) => {
        const [, socket] = made
        if (socket) this.#room = (socket as TLSSocket).alpnProtocol === 'h2' ? STREAMS : 1
        callback(...made)
      })
  }

  /** A connection for one more request, which is over with `release`. */
  take(): Connection {
    const connection = this.#all.find(({ load }) => load < this.#room) ?? this.#create()
    connection.load += 1
    return connection
  }

  release(connection: Connection): void {
    connection.load -= 1
    // Those of HTTP/1.1 end by themselves when they have been idle for a while.
    const isSpare = this.#room > 1 && this.#all.length > 1
    if (connection.load === 0 && (isSpare || !connection.isOpen)) this.drop(connection)
  }

  /** Ends all connections, and the requests under way with them. */
  async close(): Promise<void> {
    await Promise.all(this.#all.splice(0).map((connection) => connection.end()))
  }

  #create(): Connection {
    // A connector gives the socket that it connects, which its type does not say.
    let socket: unknown
    const client = new Client(this.#options.origin, {
      connect: (target, callback) => {
        socket = this.#connect(target, callback)
      },
      allowH2: true,
      pipelining: STREAMS,
      // How long an answer may take is for each request to say.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    const end = async (): Promise<void> => {
      const isEnded = client.destroy()
      // One that is still being connected is none of the client's yet.
      if (socket instanceof Socket) socket.destroy(new Error('the connection is not wanted any more'))
      await isEnded
    }
    const connection: Connection = { client, end, load: 0, isOpen: false }
    client.on('connect', () => {
      connection.isOpen = true
    })
    client.on('disconnect', () => {
      connection.isOpen = false
      if (connection.load === 0) this.drop(connection)
    })
    this.#all.push(connection)
    return connection
  }

  /** Ends a connection, and the requests under way on it. */
  drop(connection: Connection): void {
    const index = this.#all.indexOf(connection)
    if (index === -1) return
    this.#all.splice(index, 1)
    // What it says is of no use to anybody.
    connection.end().catch(() => undefined)
  }
}
