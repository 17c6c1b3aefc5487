import { StringDecoder } from 'node:string_decoder'
import type { Socket } from 'node:net'
import type { IncomingHttpHeaders } from 'node:http'
import { buildConnector, Client, type Dispatcher } from 'undici'
import type { Clock, Timer } from '../../model/clock.ts'
import { EVENTS_TYPE, RICH_TYPE } from '../wire/media.ts'
import type { ResolvedConnectOptions } from './options.ts'
import { EventStreamParser, type ServerSentEvent } from './server-sent-events.ts'

/** Milliseconds between two signs of life of a stream on which nothing happens. */
const HEARTBEAT = 15_000

export interface EventStreamListener {
  /** The node tells its events from here on. */
  onOpen(headers: IncomingHttpHeaders): void
  onEvent(event: ServerSentEvent): void
  /** Nothing more comes. Called once, unless the stream was closed by `close`. */
  onEnd(refusal?: StreamRefusal): void
}

/** How the node answered, where it would not tell its events. */
export interface StreamRefusal {
  status: number
  headers: IncomingHttpHeaders
}

/**
 * The node's events, over a connection of their own, which does not keep the process alive. It speaks HTTP/1.1, where one
 * such connection has one socket.
 */
export class EventStream implements Dispatcher.DispatchHandler {
  readonly #client: Client
  readonly #listener: EventStreamListener
  readonly #clock: Clock
  /** Milliseconds after which silence means that nobody is there. */
  readonly #patience: number
  readonly #parser = new EventStreamParser()
  readonly #decoder = new StringDecoder('utf8')
  #socket: Socket | undefined
  #timer: Timer | undefined
  #isOpen = false
  #isOver = false

  constructor(options: ResolvedConnectOptions, clock: Clock, lastId: string, listener: EventStreamListener) {
    const { origin, prefix, tls, headers, margin } = options
    this.#listener = listener
    this.#clock = clock
    this.#patience = HEARTBEAT + margin
    const connect = buildConnector({ ...tls, minVersion: 'TLSv1.2', timeout: margin })
    this.#client = new Client(origin, {
      connect: (target, callback) =>
        connect(target, (...made) => {
          this.#socket = made[1] ?? undefined
          callback(...made)
        }),
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    this.#expect(margin)
    const asked = { ...headers, accept: `${EVENTS_TYPE}, ${RICH_TYPE}` }
    const last = lastId === '' ? {} : { 'last-event-id': lastId }
    this.#client.dispatch({ method: 'GET', path: `${prefix}/events`, headers: { ...asked, ...last } }, this)
  }

  close(): void {
    this.#isOver = true
    this.#timer?.clear()
    // Whoever closes it does not want to hear why it broke.
    this.#client.destroy().catch(() => undefined)
  }

  onRequestStart(): void {
    // It is closed by its connection.
  }

  onResponseStart(_controller: unknown, status: number, headers: IncomingHttpHeaders): void {
    if (this.#isOver || status < 200) return
    if (status !== 200) {
      this.#end({ status, headers })
      return
    }
    this.#isOpen = true
    this.#socket?.unref()
    this.#listener.onOpen(headers)
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (!this.#isOpen || this.#isOver) return
    this.#expect(this.#patience)
    for (const event of this.#parser.push(this.#decoder.write(chunk))) this.#listener.onEvent(event)
  }

  onResponseEnd(): void {
    this.#end()
  }

  onResponseError(): void {
    this.#end()
  }

  /** Ends the stream when nothing comes for so long. */
  #expect(ms: number): void {
    this.#timer?.clear()
    this.#timer = this.#clock.setTimeout(() => this.#end(), ms, { ref: !this.#isOpen })
  }

  #end(refusal?: StreamRefusal): void {
    if (this.#isOver) return
    this.close()
    this.#listener.onEnd(refusal)
  }
}
