import { receiveMessageOnPort, threadId, type MessagePort } from 'node:worker_threads'
import { monotonicNow } from '../model/clock.ts'
import { encodeError } from '../protocol/encoded-error.ts'
import { LaneMemory } from '../protocol/lane-memory.ts'
import type { FromHost, LaneTask, ResultKind, ToHost } from '../protocol/messages.ts'
import { FunctionHost, type HostChannel } from './function-host.ts'
import { loadFunctions } from './load.ts'

/** The Piscina task: serves one lane, until it is told to close. */
export async function serve({ port, memory, functions: url, concurrency, logLevel }: LaneTask): Promise<void> {
  const closed = new Promise<void>((resolve) => port.once('close', () => resolve()))
  try {
    const functions = await loadFunctions(url)
    const channel = new ThreadChannel(port, new LaneMemory(memory))
    const host = new FunctionHost({ channel, functions, concurrency, logLevel })
    port.on('message', (message: ToHost) => host.receive(message))
    port.postMessage({ type: 'ready', threadId, functions: [...functions.keys()] } satisfies FromHost)
  } catch (error) {
    port.postMessage({ type: 'failed', error: encodeError(error) } satisfies FromHost)
  }
  await closed
  // Piscina may end the thread now: what its functions have printed is to come out before.
  await Promise.all([written(process.stdout), written(process.stderr)])
}

async function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()))
}

/** Milliseconds that a thread without calls looks at shared memory before it goes back to its event loop. */
const LOOK_FOR = 0.02
/** Looks between two readings of the clock. */
const LOOKS = 32

class ThreadChannel implements HostChannel {
  readonly #port: MessagePort
  readonly #memory: LaneMemory
  #seen = 0

  constructor(port: MessagePort, memory: LaneMemory) {
    this.#port = port
    this.#memory = memory
  }

  post(message: FromHost, transfer?: readonly unknown[]): void {
    this.#port.postMessage(message, transfer as [])
  }

  claim(slot: number, generation: number, now: number): boolean {
    return this.#memory.claim(slot, generation, now)
  }

  isAborted(slot: number, generation: number): boolean {
    return this.#memory.isAborted(slot, generation)
  }

  shelve(slot: number, generation: number, kind: ResultKind, value: unknown): boolean {
    return this.#memory.shelve(slot, generation, kind, value)
  }

  close(): void {
    this.#port.close()
  }

  end(slot: number, now: number): void {
    this.#memory.end(slot, now)
  }

  look(): ToHost | undefined {
    const until = monotonicNow() + LOOK_FOR
    do {
      for (let i = 0; i < LOOKS; i++) {
        const posted = this.#memory.posted
        if (posted === this.#seen) continue
        // Read before the message: one that comes in between is seen by the next look.
        this.#seen = posted
        const received = receiveMessageOnPort(this.#port) as { message: ToHost } | undefined
        if (received === undefined) continue
        // There may be more than the one.
        this.#seen -= 1
        return received.message
      }
    } while (monotonicNow() < until)
    return undefined
  }
}
