import { setImmediate as eventsHandled } from 'node:timers/promises'
import type { Clock } from '../../model/clock.ts'

/** Milliseconds between two looks. */
const LOOK_EVERY = 50

/** Waits for a promise, but no longer than until `isQuiet`: offspring may hold a stream open for as long as it likes. */
export async function settledOrQuiet(
  promise: Promise<unknown>,
  clock: Clock,
  isQuiet: (forMs: number) => boolean,
): Promise<void> {
  const state = { isSettled: false }
  const settled = promise.then(() => {
    state.isSettled = true
  })
  do {
    const pause = Promise.withResolvers<void>()
    const timer = clock.setTimeout(pause.resolve, LOOK_EVERY)
    await Promise.race([settled, pause.promise])
    timer.clear()
    // A host that was busy comes to its timers before it comes to what has arrived meanwhile.
    if (!state.isSettled) await eventsHandled()
  } while (!state.isSettled && !isQuiet(LOOK_EVERY))
}
