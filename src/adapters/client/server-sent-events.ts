export interface ServerSentEvent {
  /** `message` where the stream names none. */
  name: string
  data: string
  /** The last ID that the stream has told, for `Last-Event-ID`. */
  lastId: string
}

/** Reads a `text/event-stream` as it comes in, in parts that are cut anywhere. */
export class EventStreamParser {
  #rest = ''
  #name = ''
  #data: string[] = []
  #lastId = ''

  /** The events that are complete with this part. */
  push(text: string): ServerSentEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    return lines.flatMap((line) => this.#line(line) ?? [])
  }

  #line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    // A comment says only that the other side is there.
    if (colon === 0) return undefined
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#lastId = value
    return undefined
  }

  #dispatch(): ServerSentEvent | undefined {
    const [name, data] = [this.#name || 'message', this.#data]
    this.#name = ''
    this.#data = []
    return data.length === 0 ? undefined : { name, data: data.join('\n'), lastId: this.#lastId }
  }
}
