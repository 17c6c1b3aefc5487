import { receiveMessageOnPort, type MessagePort, type Transferable } from 'node:worker_threads'

/** One end of a lane's channel. Its messages are heard as they arrive, and before that by whoever asks for the next. */
export class LanePort<In, Out> {
  readonly closed: Promise<void>
  readonly #port: MessagePort
  #isClosed = false

  constructor(port: MessagePort) {
    this.#port = port
    this.closed = new Promise((resolve) => {
      port.once('close', () => {
        this.#isClosed = true
        resolve()
      })
    })
  }

  /**
   * Hears messages from now on, and keeps the thread's event loop alive until the port is closed.
   *
   * @param onLost told when a message has come that cannot be unpacked: nobody knows what it was about.
   */
  listen(receive: (message: In) => void, onLost: (error: unknown) => void): void {
    this.#port.on('message', receive)
    this.#port.on('messageerror', onLost)
  }

  /** @throws DOMException `DataCloneError` when something in the message cannot travel between threads. */
  post(message: Out, transfer: readonly Transferable[] = []): void {
    this.#port.postMessage(message, transfer)
  }

  /** Takes the next message that has arrived and was not heard. */
  take(): In | undefined {
    // While a port tells of its end, Node follows a null pointer when it is asked for a message.
    if (this.#isClosed) return undefined
    return (receiveMessageOnPort(this.#port) as { message: In } | undefined)?.message
  }

  /** What is heard no more can still be taken, until `closed`. */
  close(): void {
    this.#port.removeAllListeners('message')
    this.#port.close()
  }
}
