import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Stands between a client or a machine and Redis, to withhold what Redis answers, or all that they say. */
export class RedisProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isHolding = false
  #isCut = false
  #holdAt: string | undefined
  #held: (() => void)[] = []

  private constructor(port: number) {
    this.#server = createServer((socket) => this.#pass(socket, connect(port, '127.0.0.1')))
  }

  static async start(port: number): Promise<RedisProxy> {
    const proxy = new RedisProxy(port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get connection(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port }
  }

  /** Withholds all answers from the request on that holds this text. */
  holdAt(text: string): void {
    this.#holdAt = text
  }

  /** Lets nothing through, and ends no connection. */
  cut(): void {
    this.#isCut = true
    this.#isHolding = true
  }

  /** Lets all through that was withheld, in its order. */
  release(): void {
    this.#holdAt = undefined
    this.#isCut = false
    this.#isHolding = false
    for (const pass of this.#held) pass()
    this.#held = []
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #pass(client: Socket, redis: Socket): void {
    for (const socket of [client, redis]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        client.destroy()
        redis.destroy()
      })
    }
    client.on('data', (request) => {
      if (this.#holdAt !== undefined && request.includes(this.#holdAt)) this.#isHolding = true
      if (this.#isCut) this.#held.push(() => redis.write(request))
      else redis.write(request)
    })
    redis.on('data', (answer) => {
      if (this.#isHolding) this.#held.push(() => client.write(answer))
      else client.write(answer)
    })
  }
}
