import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds. What is let go of by timers of some milliseconds has been let go of then. */
const SETTLE = 100

/** Bytes on the heap of this thread that something still holds. Needs `--expose-gc`. */
export async function heapHeld(): Promise<number> {
  await sleep(SETTLE)
  collect()
  // Once more: the first time finds out which finalizers are to run.
  collect()
  return process.memoryUsage().heapUsed
}

/**
 * Fills the heap with so many bytes, none of them garbage, and gives what holds them. They are numbers that a collection
 * does not look into: how long that holds up its thread is V8's affair. Needs `--expose-gc`.
 */
export function fillHeap(bytes: number): unknown[] {
  const held: unknown[] = []
  while (process.memoryUsage().heapUsed < bytes) held.push(new Array<number>(100_000).fill(0.5))
  // What is filled so fast has begun a collection, which goes on for a while.
  collect()
  return held
}

function collect(): void {
  if (!globalThis.gc) throw new Error('run it with --expose-gc')
  globalThis.gc()
}
