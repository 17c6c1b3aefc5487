import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Removes a folder and what children have left in it, also what they made read-only. Never throws: it is of no use to anybody. */
export function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  } catch {
    try {
      makeWritable(path)
      rmSync(path, { recursive: true, force: true, maxRetries: 3 })
    } catch {
      // Another user's, or still in use.
    }
  }
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o700)
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (lstatSync(path).isDirectory()) makeWritable(path)
  }
}
