import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** Bytes of each end of an output that are kept. */
const KEPT = 65_536

/**
 * Reads what a process prints, always all of it, so that the process never waits for a reader. Its first bytes are told
 * line by line as they come; of the rest the last ones are kept, and told at the end with how many were dropped between.
 */
export class Output {
  readonly ended: Promise<void>
  readonly #tell: (line: string) => void
  #decoder = new StringDecoder('utf8')
  /** A line that has no end yet. */
  #line = ''
  #read = 0
  #told = 0
  /** The last bytes of all. */
  #recent: Buffer = Buffer.alloc(0)

  /** @param tell is given each line, without its end; none that is empty. */
  constructor(stream: Readable, tell: (line: string) => void) {
    this.#tell = tell
    this.ended = new Promise((resolve) => {
      stream.once('close', resolve)
      stream.once('end', resolve)
    })
    stream.on('data', (chunk: Buffer) => this.#add(chunk)).resume()
    void this.ended.then(() => this.flush())
  }

  /** The last bytes, as text. @param bytes at most; it has no more than 64 KiB. */
  last(bytes: number): string {
    return this.#recent.subarray(-bytes).toString('utf8')
  }

  /** What comes now is somebody else's. */
  restart(): void {
    if (this.#recent.length === 0) return
    this.flush()
    this.#recent = Buffer.alloc(0)
  }

  /** Tells what is held back: a line that has no end, and the tail. */
  flush(): void {
    const untold = this.#read - this.#told
    const tail = this.#recent.subarray(this.#recent.length - Math.min(untold, KEPT))
    this.#tellLines(`${this.#decoder.end()}\n`)
    if (untold > tail.length) this.#tell(`... ${untold - tail.length} bytes were dropped here`)
    this.#tellLines(`${tail.toString('utf8')}\n`)
    this.#decoder = new StringDecoder('utf8')
    this.#read = 0
    this.#told = 0
  }

  #add(chunk: Buffer): void {
    this.#recent = lastOf(this.#recent, chunk)
    this.#read += chunk.length
    const head = chunk.subarray(0, KEPT - this.#told)
    this.#told += head.length
    if (head.length > 0) this.#tellLines(this.#decoder.write(head))
  }

  #tellLines(text: string): void {
    const lines = (this.#line + text).split('\n')
    this.#line = lines.pop() ?? ''
    for (const line of lines) if (line !== '') this.#tell(line)
  }
}

function lastOf(before: Buffer, chunk: Buffer): Buffer {
  if (chunk.length >= KEPT) return Buffer.from(chunk.subarray(-KEPT))
  return Buffer.concat([before, chunk]).subarray(-KEPT)
}
