import { TimeHistogram } from '../caller/time-histogram.ts'
import type { TimeStats } from '../model/runner.ts'
import type { Outcome } from '../model/status.ts'
import type { Call } from '../table/call.ts'
import { queueTimeOf, runTimeOf } from './call-times.ts'

/** What is remembered of calls when they are gone: how many there were, and how long they took. */
export class CallRecords {
  readonly total = { succeeded: 0, failed: 0, expired: 0 }
  readonly #queueTimes = new TimeHistogram()
  readonly #runTimes = new TimeHistogram()

  ended(call: Call, { ok }: Outcome): void {
    if (ok) this.total.succeeded += 1
    else this.total.failed += 1
    if (call.startedAt === undefined) return
    this.#queueTimes.record(queueTimeOf(call))
    this.#runTimes.record(runTimeOf(call))
  }

  get queueTime(): TimeStats {
    return this.#queueTimes.stats
  }

  get runTime(): TimeStats {
    return this.#runTimes.stats
  }
}
