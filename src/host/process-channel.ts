import { readSync, writeSync } from 'node:fs'
import { monotonicNow } from '../model/clock.ts'
import { findUncloneable } from '../protocol/cloneable.ts'
import { encodeError } from '../protocol/encoded-error.ts'
import { encodeFrame, nonceOfCall, type FrameReader } from '../protocol/frames.ts'
import { encodeLogValue } from '../protocol/log-values.ts'
import { RETURNED, type FromHost, type ResultKind } from '../protocol/messages.ts'
import { ANSWERS_FD, FRAME_ROOM, type FromProcess, type ToProcess, REQUESTS_FD } from '../protocol/process-messages.ts'
import { deserialize, serialize } from '../protocol/serialize.ts'
import type { HostChannel } from './function-host.ts'

/** Milliseconds between two looks at whether an abort has come in, by a function that does not let the event loop turn. */
const LOOK_EVERY = 1

/** Milliseconds that the runner has to end a process which cannot answer. */
const ENDED_WITHIN = 1_000

const CHUNK = Buffer.allocUnsafe(65_536)

/** The way from a function's process to the runner: frames on pipes. One call at a time. */
export class ProcessChannel implements HostChannel {
  readonly reach = 'processes'
  /** Bytes that a result may have. */
  resultLimit = Infinity
  /** The number of the call that runs. */
  generation = 0
  readonly #reader: FrameReader
  #receive: (message: ToProcess) => void = () => {}
  /** What has come in and was not heard: what the function that runs may be told of is in it. */
  readonly #pending: ToProcess[] = []
  /** Of the call that runs. */
  #nonce: Buffer | undefined
  #isLast = false
  #tellsStart = true
  #isAborted = false
  #lookedAt = 0
  #endedAt = 0

  /** @param reader puts the runner's frames together. */
  constructor(reader: FrameReader) {
    this.#reader = reader
  }

  listen(receive: (message: ToProcess) => void): void {
    this.#receive = receive
  }

  /** Takes in bytes from the runner. */
  hear(chunk: Buffer): void {
    this.#read(chunk)
    this.#hearPending()
  }

  /** From here on it is about this call. */
  begin({ call, isLast, tellsStart }: ToProcess & { type: 'run' }): void {
    this.#nonce = nonceOfCall(this.#reader.accepted[0] as Buffer, call)
    this.#isLast = isLast
    this.#tellsStart = tellsStart
    this.#isAborted = false
    this.generation = call
  }

  /** Tells of an error that nobody caught, which ends the process. */
  crashed(error: unknown): void {
    this.#write({ type: 'crashed', error: encodeError(error) }, () => ({
      type: 'crashed',
      error: encodeError(new Error('an error that nobody caught, too large to be told')),
    }))
  }

  ready(functions: string[]): void {
    this.#write({ type: 'ready', functions })
  }

  failed(error: unknown): void {
    this.#write({ type: 'failed', error: encodeError(error) }, (bytes) => ({
      type: 'failed',
      error: encodeError(new Error(`the functions module threw an error of ${bytes} bytes`)),
    }))
  }

  // As the function host sees it

  post(message: FromHost): void {
    if (message.type === 'result') {
      const { kind, value } = message
      // The serializer takes objects of the platform's for plain ones.
      if (kind === RETURNED && findUncloneable([value], '', [], 'processes')) throw uncloneable('the result')
      this.#writeResult(kind, value)
      // What comes now, such as an error that nobody caught, is the process's and not the call's.
      this.#nonce = undefined
      // After what has settled along with it.
      if (this.#isLast) setImmediate(exit)
    }
  }

  report(message: FromHost): void {
    if (message.type === 'progress') {
      if (findUncloneable([message.value], '', [], 'processes')) throw uncloneable('the progress')
      this.#write({ type: 'progress', value: message.value }, (bytes) => dropped('progress', bytes))
    } else if (message.type === 'log') {
      this.#write({ type: 'log', level: message.level, args: message.args }, (bytes) => dropped('a log line', bytes))
    }
  }

  /** A pipe that is full holds the function up by itself. */
  readonly mayReport = true

  awaitReportable(): void {}

  claim(_slot: number, _generation: number, now: number): boolean {
    if (this.#tellsStart) this.#write({ type: 'started', at: now })
    return true
  }

  isAborted(): boolean {
    const now = monotonicNow()
    if (!this.#isAborted && now - this.#lookedAt > LOOK_EVERY) {
      this.#lookedAt = now
      this.#look()
    }
    return this.#isAborted
  }

  end(_slot: number, now: number): void {
    this.#endedAt = now
  }

  leave(): boolean {
    return false
  }

  tell(): void {}

  close(): void {}

  take(): undefined {}

  look(): undefined {}

  rest(): boolean {
    return false
  }

  /** Looks for an abort, without waiting: a busy function keeps the event loop from telling of it. */
  #look(): void {
    const length = readAtOnce()
    if (length > 0) {
      this.#read(Buffer.from(CHUNK.subarray(0, length)))
      // Heard by the function's signal when the event loop turns, as everywhere.
      setImmediate(() => this.#hearPending())
    }
    // No other call comes in before this one has ended: an abort is about this one.
    this.#isAborted = this.#pending.some(({ type }) => type === 'abort')
  }

  #read(chunk: Buffer): void {
    for (const body of this.#reader.push(chunk)) this.#pending.push(deserialize(body) as ToProcess)
  }

  #hearPending(): void {
    for (let message = this.#pending.shift(); message; message = this.#pending.shift()) {
      if (message.type === 'abort') this.#isAborted = true
      this.#receive(message)
    }
  }

  #writeResult(kind: ResultKind, value: unknown): void {
    const endedAt = this.#endedAt
    const body = serialize({ type: 'result', kind, value, endedAt } satisfies FromProcess)
    if (body.length <= this.resultLimit) this.#writeFrame(body)
    else this.#write({ type: 'too-large', bytes: body.length, endedAt })
  }

  /**
   * @param instead what to write when it has more bytes than the runner takes.
   * @throws Error `DataCloneError` when something in the message cannot travel between processes.
   */
  #write(message: FromProcess, instead?: (bytes: number) => FromProcess): void {
    const body = serialize(message)
    if (instead && body.length > this.resultLimit + FRAME_ROOM) this.#write(instead(body.length))
    else this.#writeFrame(body)
  }

  /** Returns when the runner's side has all of it: it is whole, whatever comes next. */
  #writeFrame(body: Buffer): void {
    const nonce = this.#nonce ?? this.#reader.accepted[0]
    // Nothing was heard from the runner yet: it would not know what this is.
    if (nonce) for (const part of encodeFrame(nonce, body)) writeAll(part)
  }
}

function dropped(what: string, bytes: number): FromProcess {
  const message = `${what} of ${bytes} bytes was dropped: it is larger than a result may be`
  return { type: 'log', level: 'warn', args: [encodeLogValue(message)] }
}

/** Reads what has come in, and gives how many bytes that were: none, mostly. */
function readAtOnce(): number {
  try {
    return readSync(REQUESTS_FD, CHUNK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}

function uncloneable(what: string): DOMException {
  return new DOMException(`${what} cannot travel between processes`, 'DataCloneError')
}

/** The function has closed what this process answers on. The runner, unless others hold it, sees that and ends the process. */
function closedAnswers(cause: unknown): Error {
  Atomics.wait(cell, 0, 0, ENDED_WITHIN)
  return new Error(`file descriptor ${ANSWERS_FD}, on which a function's process answers, was closed`, { cause })
}

// Taken before a functions module can put something else in its place.
const exit = process.exit.bind(process)

const cell = new Int32Array(new SharedArrayBuffer(4))

function writeAll(bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(ANSWERS_FD, bytes, written)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EBADF') throw closedAnswers(error)
      if (code !== 'EAGAIN') throw error
      // The pipe is full until the runner reads.
      Atomics.wait(cell, 0, 0, 0.2)
    }
  }
}
