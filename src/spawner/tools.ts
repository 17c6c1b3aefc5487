import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/** Where programs are looked for when nothing else is said. */
const STANDARD_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin'

/**
 * Finds a program as a shell would.
 *
 * @throws Error with `code` `ENOENT` or `EACCES`.
 */
export function findProgram(program: string, path = STANDARD_PATH, cwd = process.cwd()): string {
  if (isAbsolute(program)) return checkedProgram(program)
  if (program.includes('/')) return checkedProgram(resolve(cwd, program))
  const candidates = path.split(delimiter).map((folder) => join(folder, program))
  const found = candidates.find(isExecutable)
  if (found) return found
  throw Object.assign(new Error(`there is no program "${program}" in PATH (${path})`), { code: 'ENOENT' })
}

/** The path of a tool of the system's; undefined where it is not there. */
export function findTool(name: string): string | undefined {
  return STANDARD_PATH.split(':')
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

function checkedProgram(path: string): string {
  accessSync(path, constants.X_OK)
  if (statSync(path).isFile()) return path
  throw Object.assign(new Error(`${path} is no program`), { code: 'EACCES' })
}

function isExecutable(path: string): boolean {
  try {
    return checkedProgram(path) === path
  } catch {
    return false
  }
}
