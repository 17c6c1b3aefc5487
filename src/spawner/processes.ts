import { readdirSync } from 'node:fs'

/** The numbers of all processes; none where the system does not tell. @throws Error for want of a file descriptor, say. */
export function allProcesses(): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}
