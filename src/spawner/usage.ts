import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { allProcesses } from './processes.ts'

// Linux: what the kernel says in /proc.

/** Ticks of the processor's clock in a second, as /proc counts them. */
const TICKS = 100

interface Usage {
  /** Bytes of resident memory. */
  memory: number
  /** Milliseconds of processor time, with that of children that have ended and were asked how. */
  cpuTime: number
}

export interface SessionUsage extends Usage {
  processes: number[]
}

/** What a process uses; undefined when it has ended. */
export function usageOf(pid: number): Usage | undefined {
  const stat = statOf(pid)
  return stat && usageBy(pid, stat)
}

/** The processes of some sessions, by the number of the session: that of the process which began it. */
export function processesOfSessions(wanted: ReadonlySet<number>): Map<number, number[]> {
  const found = new Map<number, number[]>()
  for (const pid of allProcesses()) {
    const session = Number(statOf(pid)?.[SESSION])
    if (!wanted.has(session)) continue
    const processes = found.get(session)
    if (processes) processes.push(pid)
    else found.set(session, [pid])
  }
  return found
}

/** What those of some processes use together that are in a session. */
export function usageOfSession(session: number, pids: readonly number[]): SessionUsage {
  const sum: SessionUsage = { memory: 0, cpuTime: 0, processes: [] }
  for (const pid of pids) {
    const stat = statOf(pid)
    // Another process may have its number meanwhile.
    const usage = Number(stat?.[SESSION]) === session ? usageBy(pid, stat as string[]) : undefined
    if (!usage) continue
    sum.memory += usage.memory
    sum.cpuTime += usage.cpuTime
    sum.processes.push(pid)
  }
  return sum
}

/**
 * Bytes that processes use together, where what several of them share counts once. The kernel adds that up page by page,
 * which takes milliseconds for a large process.
 */
export function sharedMemoryOf(pids: readonly number[]): number {
  let sum = 0
  for (const pid of pids)
    sum += kilobytesIn(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB$/m) ?? usageOf(pid)?.memory ?? 0
  return sum
}

function usageBy(pid: number, stat: readonly string[]): Usage | undefined {
  const memory = kilobytesIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB$/m)
  if (memory === undefined) return undefined
  const ticks = stat.slice(...TIMES).reduce((sum, each) => sum + Number(each), 0)
  return { memory, cpuTime: (ticks / TICKS) * 1_000 }
}

// Among the fields of `stat` that follow the name.
const SESSION = 3
const TIMES = [11, 15] as const

const buffer = Buffer.allocUnsafe(4_096)

/** Undefined when it has ended. By hand, since it is done for every process there is: `readFile` takes twice as long. */
function statOf(pid: number): string[] | undefined {
  let file: number | undefined
  try {
    file = openSync(`/proc/${pid}/stat`, 'r')
    const stat = buffer.toString('latin1', 0, readSync(file, buffer, {}))
    // The name, in parentheses, may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** As bytes; 0 when it is not in the file, undefined when that cannot be read. */
function kilobytesIn(path: string, pattern: RegExp): number | undefined {
  try {
    return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? 0) * 1_024
  } catch {
    return undefined
  }
}

/** How many processes the kernel has killed for want of memory since it started; 0 where it does not say. */
export function kernelKills(path = '/proc/vmstat'): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
