import { isLive, type Output } from '../terminal/output.ts'
import { ProgressBar } from '../terminal/progress-bar.ts'
import { showValue } from './json.ts'

/** How far a call is, where its function says so in a way that a bar can show. */
export interface Share {
  /** From 0 to 1. */
  share: number
  label: string
}

/**
 * Reads the progress that a function reports: a share from 0 to 1, or an object with `share`, or with `done` and
 * `total`; and its `message`. Undefined for anything else.
 */
export function shareOf(progress: unknown): Share | undefined {
  if (typeof progress === 'number') return isShare(progress) ? { share: progress, label: '' } : undefined
  if (typeof progress !== 'object' || progress === null) return undefined
  const { share, done, total, message } = progress as Record<string, unknown>
  const label = typeof message === 'string' ? oneLine(message) : ''
  if (isShare(share)) return { share, label }
  if (typeof done !== 'number' || typeof total !== 'number' || !isShare(done / total)) return undefined
  return { share: done / total, label: label === '' ? `${done} of ${total}` : label }
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}

/** Shows on a terminal that a call goes on, and how far it is. Shows nothing anywhere else. */
export class Progress {
  readonly #bar: ProgressBar | undefined
  readonly #start = performance.now()

  constructor(output: Output) {
    this.#bar = isLive(output) ? new ProgressBar(output) : undefined
  }

  /** Whether there is somebody to show it to. */
  get isShown(): boolean {
    return this.#bar !== undefined
  }

  show(state: string, progress: unknown): void {
    const share = shareOf(progress)
    if (share) this.#bar?.show(share.share, share.label)
    else this.#bar?.showText(`${this.#elapsed()}  ${progress === undefined ? state : oneLine(showValue(progress))}`)
  }

  clear(): void {
    this.#bar?.clear()
  }

  #elapsed(): string {
    return `${Math.floor((performance.now() - this.#start) / 1_000)} s`.padStart(4)
  }
}

/** What a function reports may hold anything: control characters would reach the terminal. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ')
}
