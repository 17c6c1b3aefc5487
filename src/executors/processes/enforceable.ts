import type { ResolvedOptions } from '../../model/options.ts'
import type { ResolvedCommand, ResolvedProcess } from '../../model/process-options.ts'
import { findTool } from '../../spawner/tools.ts'

/**
 * Sees to it that all that was asked for can be done on this machine: a limit that does not hold is worse than none.
 *
 * @throws Error that names the option and what it would need.
 */
export function checkEnforceable({ others, define, commands }: ResolvedOptions): void {
  const functions = [['createRunner options', others] as const, ...withName('define', define)]
  for (const [where, { process }] of functions) if (process) checkProcess(where, process)
  for (const [where, command] of withName('commands', commands)) checkChild(where, command)
}

function* withName<T>(option: string, entries: ReadonlyMap<string, T>): Iterable<readonly [string, T]> {
  for (const [name, value] of entries) yield [`${option}.${name}`, value]
}

function checkProcess(where: string, kind: ResolvedProcess): void {
  checkChild(where, kind)
  if (kind.permissions && !process.allowedNodeEnvironmentFlags.has('--permission')) {
    throw new Error(`${where}.permissions needs a Node with the permission model; ${process.version} has none`)
  }
}

function checkChild(where: string, { limits, uid, gid }: ResolvedProcess | ResolvedCommand): void {
  if (process.platform === 'win32') throw new Error(`${where}: calls in processes need Linux or macOS`)
  for (const key of ['memory', 'cpuTime'] as const) {
    if (limits[key] !== undefined && process.platform !== 'linux') {
      throw new Error(`${where}.${key} is watched in /proc, which only Linux has; leave it out here`)
    }
  }
  for (const key of ['openFiles', 'fileSize'] as const) {
    if (limits[key] !== undefined && findTool('prlimit') === undefined) {
      throw new Error(`${where}.${key} needs the program prlimit (of util-linux), which is not there`)
    }
  }
  for (const [key, id] of Object.entries({ uid, gid })) {
    if (id !== undefined && process.getuid?.() !== 0) {
      throw new Error(`${where}.${key} needs a process that runs as root; this one does not`)
    }
  }
}
