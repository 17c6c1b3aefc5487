import type { Child } from './child.ts'
import { processesOfSessions, usageOfSession } from './usage.ts'

/** Milliseconds between two looks at what children use. */
const LOOK_EVERY = 50

/**
 * How often as long as a search for what children have started took the pause after it is: one looks at every process
 * there is, also for children that only wait.
 */
const PAUSE_FACTOR = 100
const LONGEST_PAUSE = 1_000

/** Watches what children use that may not use more than their limits: they, and what they have started. */
export class LimitWatch {
  readonly #children = new Set<Child>()
  /** By the number of the child, which is that of its session. */
  #processes = new Map<number, number[]>()
  #searchAt = 0
  #timer: NodeJS.Timeout | undefined

  add(child: Child): void {
    this.#children.add(child)
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY)
  }

  remove(child: Child): void {
    this.#children.delete(child)
    if (this.#children.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    this.#search()
    for (const child of this.#children) {
      child.checkLimits(usageOfSession(child.pid, this.#processes.get(child.pid) ?? [child.pid]))
    }
  }

  #search(): void {
    const began = performance.now()
    if (began < this.#searchAt) return
    try {
      this.#processes = processesOfSessions(new Set(Array.from(this.#children, ({ pid }) => pid)))
    } catch {
      // For want of a file descriptor, say: the next one tells.
    }
    const ended = performance.now()
    this.#searchAt = ended + Math.min(LONGEST_PAUSE, PAUSE_FACTOR * (ended - began))
  }
}
