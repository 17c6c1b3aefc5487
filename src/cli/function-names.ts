import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { MissingError } from './errors.ts'

// Next to this module in the package, with its extension: the same line works from src and from dist.
const PROGRAM = fileURLToPath(new URL(`./tell-function-names${extname(import.meta.url)}`, import.meta.url))

/**
 * The names of a module's functions. It is imported for that in a process of its own, for what importing it does is not
 * to happen in the node's.
 */
export async function functionNames(module: URL): Promise<string[]> {
  const child = spawn(process.execPath, [...process.execArgv, PROGRAM, module.href], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  const [told, [status]] = await Promise.all([text(child.stdio[3] as Readable), once(child, 'exit')])
  if (status === 0) return JSON.parse(told) as string[]
  throw new MissingError(`the functions of ${fileURLToPath(module)} could not be listed: name them with --functions`)
}
