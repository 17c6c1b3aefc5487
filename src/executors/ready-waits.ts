import { CallError } from '../model/errors.ts'

/** Those who wait until an executor is ready. */
export class ReadyWaits {
  #waits: PromiseWithResolvers<void>[] = []

  get isEmpty(): boolean {
    return this.#waits.length === 0
  }

  /** Resolves or rejects with the next `settle`. */
  wait(): Promise<void> {
    const wait = Promise.withResolvers<void>()
    this.#waits.push(wait)
    return wait.promise
  }

  /** @param error why it will not be ready; left out when it is. */
  settle(error?: CallError): void {
    const waits = this.#waits
    this.#waits = []
    for (const { resolve, reject } of waits) {
      if (error) reject(error)
      else resolve()
    }
  }

  close(): void {
    this.settle(new CallError('RUNNER_CLOSED', 'the runner was closed before it was ready'))
  }
}
