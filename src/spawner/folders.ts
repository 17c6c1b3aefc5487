import { chmodSync, closeSync, constants, existsSync, fchmodSync, openSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

const TRIES = 3
/** To its owner. */
const ALL = 0o700
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

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

/** The same, while other things go on: there may be very many files in it. Never rejects. */
export async function removeFolderMeanwhile(path: string): Promise<void> {
  for (let tries = 0; tries < TRIES && existsSync(path); tries++) {
    try {
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
    } catch {
      makeWritable(path)
    }
  }
}

function makeWritable(folder: string): void {
  try {
    allowAll(folder)
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) makeWritable(join(folder, entry.name))
    }
  } catch {
    // Another user's, or gone.
  }
}

function allowAll(folder: string): void {
  if (process.getuid?.() !== 0) return chmodSync(folder, ALL)
  // Root is let do so to whatever a link leads to, and a child may put one in the folder's place.
  const descriptor = openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    fchmodSync(descriptor, ALL)
  } finally {
    closeSync(descriptor)
  }
}
