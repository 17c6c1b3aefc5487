import type { CallStatus, Unfinished } from '../model/status.ts'
import type { Output } from '../terminal/output.ts'
import { Progress } from './progress.ts'
import type { RemoteNode } from './shell.ts'

/** Milliseconds between two looks at a call's progress, while somebody sees it. */
const LOOK_EVERY = 250

export interface FollowOptions {
  /** Milliseconds of `performance.now()`, or `Infinity`. */
  until: number
  /** Ends the waiting, and nothing else. */
  signal?: AbortSignal
  /** Where progress is shown, if it is a terminal. */
  output: Output
}

/** Waits for a call until it has ended, the time is over, or the signal aborts: the answer is its last known status. */
export async function follow(
  node: Pick<RemoteNode, 'wait'>,
  status: Unfinished,
  { until, signal, output }: FollowOptions,
): Promise<CallStatus> {
  const progress = new Progress(output)
  let last: CallStatus = status
  try {
    while (!last.finished) {
      const left = until - performance.now()
      if (left <= 0 || signal?.aborted) break
      progress.show(last.state, last.progress)
      const timeout = progress.isShown ? Math.min(left, LOOK_EVERY) : left
      last = await node.wait(last.id, signal ? { timeout, signal } : { timeout })
    }
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error
  } finally {
    progress.clear()
  }
  return last
}
