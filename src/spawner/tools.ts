import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path'

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

/** The path of a tool of the system's; undefined where it is not there. @param path the folders it may be in. */
export function findTool(name: string, path = STANDARD_PATH): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((each) => isExecutable(each) && !isAppletOfMany(each))
}

/** Programs that are many tools in one, as on Alpine Linux: those lack what is needed of util-linux's here. */
const MANY_IN_ONE = new Set(['busybox', 'toybox'])

function isAppletOfMany(path: string): boolean {
  return MANY_IN_ONE.has(basename(realpathSync(path)))
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
