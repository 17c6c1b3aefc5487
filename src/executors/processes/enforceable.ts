import { readFileSync } from 'node:fs'
import type { ResolvedOptions } from '../../model/options.ts'
import type { ResolvedCommand, ResolvedProcess } from '../../model/process-options.ts'
import { findTool } from '../../spawner/tools.ts'
import { restrictsNetwork } from './node-command.ts'

/** What it depends on whether a limit holds. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly isRoot: boolean
  readonly hasPermissionModel: boolean
  /** Whether that keeps a process from the network. */
  readonly restrictsNetwork: boolean
  /** How much of it a process may be given that does not run as root. */
  hardLimit(limit: PreparedLimit): number
  /** The path of a tool of the system's; undefined where it is not there. */
  findTool(name: string): string | undefined
}

/** Limits that are set before a child begins. */
type PreparedLimit = 'openFiles' | 'fileSize'

/** By the names that /proc has for them. */
const PREPARED: Record<PreparedLimit, string> = { openFiles: 'Max open files', fileSize: 'Max file size' }

const here: Machine = {
  get platform() {
    return process.platform
  },
  get isRoot() {
    return process.getuid?.() === 0
  },
  hasPermissionModel: process.allowedNodeEnvironmentFlags.has('--permission'),
  restrictsNetwork,
  hardLimit(limit) {
    const line = limitsOfThisProcess().find((each) => each.startsWith(PREPARED[limit]))
    const [, hard = ''] = line?.slice(PREPARED[limit].length).trim().split(/\s+/) ?? []
    return /^\d+$/.test(hard) ? Number(hard) : Infinity
  },
  findTool,
}

function limitsOfThisProcess(): string[] {
  try {
    return readFileSync('/proc/self/limits', 'utf8').split('\n')
  } catch {
    // Where there is no such file, the system says so when a child is started.
    return []
  }
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
  if (kind.permissions?.net === false && !machine.restrictsNetwork) {
    const why = `${process.version} does not keep a process from the network; leave it out here`
    throw new Error(`${where}.permissions.net: false needs Node 25 or later, ${why}`)
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
    const limit = limits[key]
    if (limit === undefined) continue
    if (machine.findTool('prlimit') === undefined) {
      throw new Error(`${where}.${key} needs the program prlimit (of util-linux), which is not there`)
    }
    const most = machine.isRoot ? Infinity : machine.hardLimit(key)
    if (limit > most) throw new Error(`${where}.${key} must be at most ${most}, the hard limit of this process`)
  }
  for (const [key, id] of Object.entries({ uid, gid })) {
    if (id !== undefined && !machine.isRoot) {
      throw new Error(`${where}.${key} needs a process that runs as root; this one does not`)
    }
  }
}
