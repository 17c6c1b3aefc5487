import type { Shell } from './shell.ts'

/** The signals that come in while a command waits: each of the first three aborts an AbortSignal of its own. */
export class Interrupts {
  readonly #controllers = [new AbortController(), new AbortController(), new AbortController()] as const
  readonly first: AbortSignal = this.#controllers[0].signal
  readonly second: AbortSignal = this.#controllers[1].signal
  readonly third: AbortSignal = this.#controllers[2].signal
  /** The signal that came last. */
  last: NodeJS.Signals = 'SIGINT'
  readonly #stop: () => void
  #count = 0

  constructor(shell: Shell) {
    this.#stop = shell.onSignal((signal) => {
      this.last = signal
      this.#controllers[this.#count]?.abort()
      this.#count += 1
    })
  }

  /** From here on a signal ends the program. */
  stop(): void {
    this.#stop()
  }
}

/** What the promise gives, or undefined as soon as the signal aborts. Nothing is left behind on the signal. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let stop: (() => void) | undefined
  const over = new Promise<undefined>((resolve) => {
    const onAbort = (): void => resolve(undefined)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    stop = () => signal.removeEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([promise, over])
  } finally {
    stop?.()
  }
}
