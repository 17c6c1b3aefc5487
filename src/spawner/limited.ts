import type { SpawnRequest } from '../protocol/spawner-messages.ts'
import type { StartTools } from './start-tools.ts'

interface Limited {
  command: readonly string[]
  /** What is left for `spawn` to do. */
  asUser: { uid?: number; gid?: number }
}

/** Puts tools of the system's before a command, each of which becomes the next: limits, user, and death with the spawner. */
export function limited(command: readonly string[], { limits, uid, gid }: SpawnRequest, tools: StartTools): Limited {
  const user = { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) }
  const before = [...limitArguments(limits, tools)]
  const setpriv = process.platform === 'linux' ? tools.find('setpriv') : undefined
  if (!setpriv) return { command: [...before, ...command], asUser: user }
  // The wish to die with the parent is lost when the user changes, so that both are for one tool to do.
  before.push(setpriv, '--pdeathsig', 'KILL')
  if (uid !== undefined) before.push('--reuid', String(uid))
  if (gid !== undefined) before.push('--regid', String(gid))
  if (uid !== undefined || gid !== undefined) before.push('--clear-groups')
  return { command: [...before, '--', ...command], asUser: {} }
}

function limitArguments({ openFiles, fileSize, cpuTime }: SpawnRequest['limits'], tools: StartTools): string[] {
  const limits: string[] = []
  if (openFiles !== undefined) limits.push(`--nofile=${openFiles}`)
  if (fileSize !== undefined) limits.push(`--fsize=${fileSize}`)
  // In whole seconds, above what is watched: for the time in which nobody watches.
  if (cpuTime !== undefined) limits.push(`--cpu=${Math.ceil(cpuTime / 1_000) + 1}`)
  const prlimit = limits.length > 0 ? tools.find('prlimit') : undefined
  return prlimit ? [prlimit, ...limits] : []
}
