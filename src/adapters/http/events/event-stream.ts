import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from '../../../model/clock.ts'
import type { CallEvent, RunnerEvents } from '../../../model/events.ts'
import { writeEvent, type EventName } from '../../wire/events.ts'
import type { Form } from '../../wire/media.ts'
import { createProblem } from '../../wire/problems.ts'
import { UnwritableError } from '../../wire/values.ts'
import { streamOf } from '../response.ts'
import { LAST_ID, type Channel, type Recorded } from './channel.ts'

/** Milliseconds between two comments, which show proxies and the client that the connection lives. */
const HEARTBEAT = 15_000

/** Bytes that a client may be behind. One that reads no faster is cut off, and comes back with what it had last. */
const MOST_BEHIND = 1_048_576

export interface EventStreamParts {
  channel: Channel
  response: ServerResponse
  form: Form
  clock: Clock
  /** Whether the end of a call is the end of the stream. */
  endsWithCall: boolean
  /** Called once, when the stream has ended, however it did. */
  onEnd: () => void
}

/** Server-sent events to one client. */
export class EventStream {
  readonly #parts: EventStreamParts
  #heartbeat: Timer | undefined
  #isOver = false

  constructor(parts: EventStreamParts) {
    this.#parts = parts
    const { channel, response } = parts
    channel.streams.add(this)
    response.once('close', () => this.#end())
    this.#write(': coatcheck\n\n')
    this.#beat()
  }

  send(event: Recorded): void {
    const { endsWithCall, channel } = this.#parts
    const isLast = endsWithCall && event.name === 'finished'
    this.write(event.name, event.args, isLast ? LAST_ID : channel.idOf(event))
    if (isLast) this.close()
  }

  write<E extends EventName>(name: E, args: RunnerEvents[E], id: string): void {
    this.#write(`id: ${id}\nevent: ${name}\ndata: ${dataOf(name, args, this.#parts.form)}\n\n`)
  }

  close(): void {
    if (this.#isOver) return
    this.#end()
    this.#parts.response.end()
  }

  #write(text: string): void {
    if (this.#isOver) return
    const { response } = this.#parts
    response.write(text)
    const stream = streamOf(response)
    if (stream.writableLength > MOST_BEHIND) stream.destroy()
  }

  #beat(): void {
    this.#heartbeat = this.#parts.clock.setTimeout(() => {
      this.#write(':\n\n')
      if (!this.#isOver) this.#beat()
    }, HEARTBEAT)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#heartbeat?.clear()
    this.#parts.channel.streams.delete(this)
    this.#parts.onEnd()
  }
}

function dataOf<E extends EventName>(name: E, args: RunnerEvents[E], form: Form): string {
  try {
    return writeEvent(name, args, form)
  } catch (error) {
    if (!(error instanceof UnwritableError)) throw error
    const [{ id, fn } = { id: undefined, fn: undefined }] = args as [CallEvent?]
    return JSON.stringify({ id, fn, problem: createProblem('not-acceptable', error.message, { fn, id }) })
  }
}
