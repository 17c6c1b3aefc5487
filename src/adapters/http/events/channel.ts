import { randomBytes } from 'node:crypto'
import type { RunnerEvents } from '../../../model/events.ts'
import type { EventName } from '../../wire/events.ts'
import type { EventStream } from './event-stream.ts'

/** An event in the order of its channel. */
export interface Recorded {
  readonly seq: number
  readonly name: EventName
  readonly args: RunnerEvents[EventName]
}

/** Events that are kept for those who come back after their connection broke. */
const KEPT = 100

/** What a client says it had last, when it had the end of a call: there is nothing after that. */
export const LAST_ID = 'end'

/** The events of one call, or of all calls of one principal, and who listens to them. */
export class Channel {
  readonly streams = new Set<EventStream>()
  readonly #epoch = randomBytes(6).toString('hex')
  readonly #recent: Recorded[] = []
  #seq = 0

  /** The ID of the last event so far. */
  get lastId(): string {
    return `${this.#epoch}.${this.#seq}`
  }

  idOf({ seq }: Recorded): string {
    return `${this.#epoch}.${seq}`
  }

  send(name: EventName, args: RunnerEvents[EventName]): void {
    this.#seq += 1
    const event = { seq: this.#seq, name, args }
    this.#recent.push(event)
    if (this.#recent.length > KEPT) this.#recent.shift()
    for (const stream of this.streams) stream.send(event)
  }

  /** What came after an event; undefined when that is not known any more. */
  since(lastId: string | undefined): readonly Recorded[] | undefined {
    const [epoch, text = ''] = lastId?.split('.') ?? []
    const seq = Number(text)
    if (epoch !== this.#epoch || !(seq <= this.#seq)) return undefined
    const missed = this.#recent.filter((event) => event.seq > seq)
    return missed.length === this.#seq - seq ? missed : undefined
  }
}
