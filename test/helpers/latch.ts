import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

// Files, so that a test can hold a function back and hear of it wherever it runs: in a thread, in a process, behind HTTP.

/** What a function waits for. `path` can be an argument of the call. */
export interface Latch {
  readonly path: string
  open(): void
}

/** What functions write down: that they ran, and in which order. `path` can be an argument of the call. */
export interface Trail {
  readonly path: string
  read(): string[]
}

/** A folder for the latches and trails of one test. */
export class Signposts {
  readonly folder = mkdtempSync(join(tmpdir(), 'coatcheck-test-'))
  #count = 0

  latch(): Latch {
    const path = this.path()
    return { path, open: () => writeFileSync(path, '') }
  }

  trail(): Trail {
    const path = this.path()
    return { path, read: () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []) }
  }

  /** The path of a file that is not there. */
  path(extension = ''): string {
    this.#count += 1
    return join(this.folder, `${this.#count}${extension}`)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** For functions: resolves when the latch is open. */
export async function opened(path: string): Promise<void> {
  while (!existsSync(path)) await sleep(2)
}

/** Milliseconds after which what a test waits for is taken to never come. Far above what a busy machine needs. */
const PATIENCE = 60_000

/** Looks until there is something to see, and gives it. `what` names it in the error when it never comes. */
export async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const giveUp = performance.now() + PATIENCE
  for (;;) {
    const seen = await look()
    if (seen != null && (seen as unknown) !== false) return seen
    if (performance.now() > giveUp) throw new Error(`never came: ${what}`)
    await sleep(1)
  }
}
