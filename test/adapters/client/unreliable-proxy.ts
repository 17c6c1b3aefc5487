import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** When something happens to a connection: after so many bytes have gone to the node, or come back from it. */
export interface Fault {
  direction: 'up' | 'down'
  bytes: number
  /**
   * `reset` and `close` end both halves; `half-close` the one in the fault's direction; `stall` passes nothing on any more;
   * `delay` holds everything back for a while.
   */
  kind: 'reset' | 'close' | 'half-close' | 'stall' | 'delay'
  /** Of a delay, in milliseconds. */
  ms?: number
}

/** What stands between a client and a node, and does not let everything through. */
export class UnreliableProxy {
  /** What happens to the connections to come, each once. Those after them are let alone. */
  faults: Fault[] = []
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  /** @param target gives the port of the node, when a connection is made. */
  static async listen(target: () => number): Promise<UnreliableProxy> {
    const server = createServer({ allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new UnreliableProxy(server)
    server.on('connection', (socket: Socket) => proxy.#join(socket, target()))
    return proxy
  }

  /** Connections that were made. */
  get connections(): number {
    return this.#sockets.size / 2
  }

  /** Ends all connections that there are. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket, port: number): void {
    const node = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    const fault = this.faults.shift()
    for (const socket of [client, node]) {
      this.#sockets.add(socket)
      socket.setNoDelay()
      socket.once('close', () => this.#sockets.delete(socket))
      // What breaks here is what the test is about.
      socket.on('error', () => undefined)
    }
    pass(client, node, fault?.direction === 'up' ? fault : undefined)
    pass(node, client, fault?.direction === 'down' ? fault : undefined)
  }
}

function pass(from: Socket, to: Socket, fault: Fault | undefined): void {
  let left = fault?.bytes ?? Infinity
  from.on('data', (chunk: Buffer) => {
    if (left === -1) return
    if (chunk.length < left) {
      left -= chunk.length
      to.write(chunk)
      return
    }
    to.write(chunk.subarray(0, left))
    const rest = chunk.subarray(left)
    left = fault?.kind === 'delay' ? Infinity : -1
    if (fault) strike(fault, from, to, rest)
  })
  from.on('end', () => {
    if (left !== -1) to.end()
  })
  from.on('close', () => {
    if (fault?.kind !== 'stall') to.destroy()
  })
}

function strike({ kind, ms = 0 }: Fault, from: Socket, to: Socket, rest: Buffer): void {
  if (kind === 'reset') {
    from.resetAndDestroy()
    to.resetAndDestroy()
  } else if (kind === 'close') {
    from.destroy()
    to.destroy()
  } else if (kind === 'half-close') to.end()
  else if (kind === 'delay') {
    from.pause()
    setTimeout(() => {
      to.write(rest)
      from.resume()
    }, ms)
  }
}
