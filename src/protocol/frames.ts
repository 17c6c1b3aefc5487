/** Bytes of a nonce: a frame that carries another one was not written for this call. */
export const NONCE_BYTES = 16

/** Bytes of it that number the calls of a channel, from 1 on: 0 for what is about no call. */
const NUMBER_BYTES = 4

/** Bytes of it that are the channel's: random, and as many as nobody guesses. */
export const CHANNEL_BYTES = NONCE_BYTES - NUMBER_BYTES

const LENGTH_BYTES = 4
const HEADER_BYTES = LENGTH_BYTES + NONCE_BYTES

/** Bytes of a body that is copied to go with its header in one write: above that the copy costs more than a write. */
const COPIED_BYTES = 65_536

/** What all frames about a call carry. @param channel a nonce of the channel that it is on, or the channel's part of one. */
export function nonceOfCall(channel: Buffer, call: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  channel.copy(nonce, 0, 0, CHANNEL_BYTES)
  nonce.writeUInt32BE(call, CHANNEL_BYTES)
  return nonce
}

/** Length, nonce, body: what to write, in order. */
export function encodeFrame(nonce: Buffer, body: Buffer): Buffer[] {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeUInt32BE(body.length)
  nonce.copy(header, LENGTH_BYTES)
  return body.length > COPIED_BYTES ? [header, body] : [Buffer.concat([header, body])]
}

/** Bytes that are no frames of this channel. */
export class FrameError extends Error {
  readonly kind: 'foreign' | 'too-large'

  constructor(kind: FrameError['kind'], message: string) {
    super(message)
    this.kind = kind
  }

  static {
    this.prototype.name = 'FrameError'
  }
}

/** Puts frames together from the bytes of a stream, however those are cut. */
export class FrameReader {
  /** One of these the next frame has to carry. Without any, that of the first frame is taken. */
  accepted: readonly Buffer[]
  /** What the last frame that was given carries. */
  nonce: Buffer | undefined
  readonly #limit: number
  #chunks: Buffer[] = []
  #available = 0
  /** Of the frame whose header was read. */
  #length: number | undefined

  /** @param limit bytes that a body may have. */
  constructor(limit: number, accepted: readonly Buffer[] = []) {
    this.#limit = limit
    this.accepted = accepted
  }

  /** Whether the last frame is not whole. */
  get isPartial(): boolean {
    return this.#available > 0 || this.#length !== undefined
  }

  /**
   * Takes in bytes and gives the bodies that are whole now. No memory is taken for a body before its length was checked.
   *
   * @throws FrameError for a wrong nonce or too large a body; the rest of the stream means nothing then.
   */
  *push(chunk: Buffer): Iterable<Buffer> {
    this.#chunks.push(chunk)
    this.#available += chunk.length
    for (;;) {
      if (this.#length === undefined) {
        if (this.#available < HEADER_BYTES) return
        this.#length = this.#readHeader(this.#take(HEADER_BYTES))
      }
      if (this.#available < this.#length) return
      const body = this.#take(this.#length)
      this.#length = undefined
      yield body
    }
  }

  #readHeader(header: Buffer): number {
    const nonce = header.subarray(LENGTH_BYTES)
    if (this.accepted.length === 0) this.accepted = [Buffer.from(nonce)]
    this.nonce = this.accepted.find((each) => each.equals(nonce))
    if (!this.nonce) throw new FrameError('foreign', 'bytes that are no frame of this call')
    const length = header.readUInt32BE()
    if (length > this.#limit) throw new FrameError('too-large', `a frame of ${length} bytes, above ${this.#limit}`)
    return length
  }

  #take(count: number): Buffer {
    const [first] = this.#chunks
    this.#available -= count
    if (first && first.length > count) {
      this.#chunks[0] = first.subarray(count)
      return first.subarray(0, count)
    }
    if (first?.length === count) {
      this.#chunks.shift()
      return first
    }
    const all = Buffer.concat(this.#chunks)
    this.#chunks = all.length > count ? [all.subarray(count)] : []
    return all.subarray(0, count)
  }
}
