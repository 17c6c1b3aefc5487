import { chmodSync, existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const TRIES = 3

/**
 * Removes a folder and what children have left in it, also what they made read-only. Never throws: it is of no use to
 * anybody.
 */
export function removeFolder(path: string): void {
  // When somebody else removes a file of it meanwhile, as the runner does with its socket, Node gives up half-way and does
  // not say so.
  for (let tries = 0; tries < TRIES && existsSync(path); tries++) {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 3 })
    } catch {
      makeWritable(path)
    }
  }
}

function makeWritable(folder: string): void {
  try {
    chmodSync(folder, 0o700)
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      if (lstatSync(path).isDirectory()) makeWritable(path)
    }
  } catch {
    // Another user's, or gone.
  }
}
