import { cpus, type CpuInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds. The system counts in hundredths of a second. */
const LOOK = 300

/** Which share of the processors is used, from 0 to 1, during a moment in which this process does nothing. */
export async function busyShare(): Promise<number> {
  const before = cpus()
  await sleep(LOOK)
  return busyShareOf(before, cpus())
}

/** The same between two looks. */
export function busyShareOf(
  before: readonly Pick<CpuInfo, 'times'>[],
  after: readonly Pick<CpuInfo, 'times'>[],
): number {
  const passed = timesOf(after, 'all') - timesOf(before, 'all')
  const idle = timesOf(after, 'idle') - timesOf(before, 'idle')
  return passed > 0 ? 1 - idle / passed : 0
}

function timesOf(processors: readonly Pick<CpuInfo, 'times'>[], which: 'idle' | 'all'): number {
  const each = processors.flatMap(({ times }) => (which === 'idle' ? [times.idle] : Object.values(times)))
  return each.reduce((sum, time) => sum + time, 0)
}
