import { randomBytes } from 'node:crypto'
import { CHANNEL_BYTES, encodeFrame, FrameError, FrameReader, nonceOfCall } from '../../protocol/frames.ts'
import { FRAME_ROOM, type FromProcess, type ToProcess } from '../../protocol/process-messages.ts'
import { deserialize, serialize } from '../../protocol/serialize.ts'
import { readMessage } from './read-message.ts'

/** What carries the nonce of a call. The rest is about the process. */
const ABOUT_CALLS: ReadonlySet<FromProcess['type']> = new Set(['started', 'progress', 'log', 'result', 'too-large'])

/** The runner's end of the channel to a function's process: what it asks, and what it takes for an answer. */
export class Answers {
  /** Of the process: what it tells of itself, and all that it is told, carries this. */
  readonly #nonce = nonceOfCall(randomBytes(CHANNEL_BYTES), 0)
  readonly #reader: FrameReader
  #calls = 0

  /** @param resultLimit bytes that a result may have. */
  constructor(resultLimit: number) {
    this.#reader = new FrameReader(resultLimit + FRAME_ROOM, [this.#nonce])
  }

  /** Whether the last of them is not whole. */
  get isPartial(): boolean {
    return this.#reader.isPartial
  }

  /** From now on there is a call, of the number that is returned. Answers about one before it break the rules. */
  beginCall(): number {
    this.#calls += 1
    this.#reader.accepted = [this.#nonce, nonceOfCall(this.#nonce, this.#calls)]
    return this.#calls
  }

  endCall(): void {
    this.#reader.accepted = [this.#nonce]
  }

  /** @throws FrameError or Error for what is no answer; the rest means nothing then. */
  *push(chunk: Buffer): Iterable<FromProcess> {
    for (const body of this.#reader.push(chunk)) {
      const message = readMessage(deserialize(body))
      const isOfCall = this.#reader.nonce !== this.#nonce
      if (ABOUT_CALLS.has(message.type) && !isOfCall) throw new FrameError('foreign', 'an answer about another call')
      yield message
    }
  }

  /** What to write, in order. @throws Error `DataCloneError` for what cannot travel. */
  encode(message: ToProcess): Buffer[] {
    return encodeFrame(this.#nonce, serialize(message))
  }
}
