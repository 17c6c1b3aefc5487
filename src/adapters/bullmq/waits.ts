import { systemClock } from '../../model/clock.ts'
import type { QueuedCall } from './queued-call.ts'

/** The waits under way: each is answered once, and leaves nothing behind. */
export class Waits {
  #size = 0

  get size(): number {
    return this.#size
  }

  /**
   * Resolves when the call has ended, when `timeout` is over, or when `release` is called: look at the call to see which.
   *
   * @param timeout milliseconds, more than 0; `Infinity` for no limit.
   * @param signal ends this wait with its reason.
   */
  add(call: QueuedCall, timeout: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const finish = (): void => {
        call.waits.delete(answer)
        timer?.clear()
        signal?.removeEventListener('abort', onAbort)
        this.#size -= 1
      }
      const answer = (): void => {
        finish()
        resolve()
      }
      const onAbort = (): void => {
        finish()
        reject(signal?.reason)
      }
      const timer = timeout === Infinity ? undefined : systemClock.setTimeout(answer, timeout)
      signal?.addEventListener('abort', onAbort, { once: true })
      call.waits.add(answer)
      this.#size += 1
    })
  }

  /** Answers all waits on a call. */
  release(call: QueuedCall): void {
    for (const answer of call.waits) answer()
  }
}
