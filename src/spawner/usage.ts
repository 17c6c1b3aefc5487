import { readFileSync } from 'node:fs'

// Linux: what the kernel says in /proc.

/** Ticks of the processor's clock in a second, as /proc counts them. */
const TICKS = 100

export interface Usage {
  /** Bytes of resident memory. */
  memory: number
  /** Milliseconds of processor time, with that of children that have ended. */
  cpuTime: number
}

/** What a process uses; undefined when it has ended. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0)
    return { memory: kilobytes * 1_024, cpuTime: (ticks / TICKS) * 1_000 }
  } catch {
    return undefined
  }
}

/** How many processes the kernel has killed for want of memory since it started; 0 where it does not say. */
export function kernelKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
