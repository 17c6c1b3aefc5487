import { randomBytes } from 'node:crypto'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { findTool } from './tools.ts'

/**
 * The system's tools by way of which children are started, each under a name that no child knows: an error that begins
 * with it is the tool's, which did not become the child, and never the child's.
 */
export class StartTools {
  /** What the names of all of them begin with. */
  readonly prefix = `start-${randomBytes(8).toString('hex')}-`
  readonly #folder: string
  readonly #found = new Map<string, string | undefined>()

  /** @param folder where the names are put. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** @throws Error with a `code` when it cannot be given its name. */
  find(name: 'prlimit' | 'setpriv'): string | undefined {
    if (!this.#found.has(name)) this.#found.set(name, findTool(name))
    const path = this.#found.get(name)
    if (path === undefined) return undefined
    const link = join(this.#folder, this.prefix + name)
    try {
      symlinkSync(path, link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    return link
  }
}
