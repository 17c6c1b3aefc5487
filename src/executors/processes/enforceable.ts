import type { ResolvedOptions } from '../../model/options.ts'
import type { ResolvedCommand, ResolvedProcess } from '../../model/process-options.ts'
import { findTool } from '../../spawner/tools.ts'

/** What it depends on whether a limit holds. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly isRoot: boolean
  readonly hasPermissionModel: boolean
  /** The path of a tool of the system's; undefined where it is not there. */
  findTool(name: string): string | undefined
}

const here: Machine = {
  get platform() {
    return process.platform
  },
  get isRoot() {
    return process.getuid?.() === 0
  },
  hasPermissionModel: process.allowedNodeEnvironmentFlags.has('--permission'),
  findTool,
}

/**
 * Sees to it that all that was asked for can be done on this machine: a limit that does not hold is worse than none.
 *
 * @throws Error that names the option and what it would need.
 */
export function checkEnforceable({ others, define, commands }: ResolvedOptions, machine: Machine = here): void {
  const functions = [['createRunner options', others] as const, ...withName('define', define)]
  for (const [where, { process }] of functions) if (process) checkProcess(where, process, machine)
  for (const [where, command] of withName('commands', commands)) checkChild(where, command, machine)
}

function* withName<T>(option: string, entries: ReadonlyMap<string, T>): Iterable<readonly [string, T]> {
  for (const [name, value] of entries) yield [`${option}.${name}`, value]
}

function checkProcess(where: string, kind: ResolvedProcess, machine: Machine): void {
  checkChild(where, kind, machine)
  if (kind.permissions && !machine.hasPermissionModel) {
    throw new Error(`${where}.permissions needs a Node with the permission model; ${process.version} has none`)
  }
}

function checkChild(where: string, { limits, uid, gid }: ResolvedProcess | ResolvedCommand, machine: Machine): void {
  if (machine.platform === 'win32') throw new Error(`${where}: calls in processes need Linux or macOS`)
  for (const key of ['memory', 'cpuTime'] as const) {
    if (limits[key] !== undefined && machine.platform !== 'linux') {
      throw new Error(`${where}.${key} is watched in /proc, which only Linux has; leave it out here`)
    }
  }
  for (const key of ['openFiles', 'fileSize'] as const) {
    if (limits[key] !== undefined && machine.findTool('prlimit') === undefined) {
      throw new Error(`${where}.${key} needs the program prlimit (of util-linux), which is not there`)
    }
  }
  for (const [key, id] of Object.entries({ uid, gid })) {
    if (id !== undefined && !machine.isRoot) {
      throw new Error(`${where}.${key} needs a process that runs as root; this one does not`)
    }
  }
}
