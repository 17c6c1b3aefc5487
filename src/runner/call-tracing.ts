import { tracingChannel } from 'node:diagnostics_channel'
import type { CallId } from '../model/call-id.ts'
import type { Outcome } from '../model/status.ts'
import type { Call } from '../table/call.ts'

/** What subscribers of `tracing:coatcheck:call:*` are handed: the same object from `start` to `asyncEnd`. */
export interface CallTrace {
  readonly fn: string
  readonly args: readonly unknown[]
  readonly id: CallId
  result?: unknown
  error?: unknown
}

const channel = tracingChannel<CallTrace, CallTrace>('coatcheck:call')

/**
 * Publishes calls on the tracing channel `coatcheck:call`: `start` and `end` around the admission, `asyncStart` and
 * `asyncEnd` around the end, `error` before them when the call failed.
 */
export class CallTracing {
  readonly #traces = new Map<Call, CallTrace>()
  readonly #idOf: (call: Call) => CallId

  constructor(idOf: (call: Call) => CallId) {
    this.#idOf = idOf
  }

  /** @param admit takes the call in: what a subscriber binds to the channel's start holds there. */
  admit(call: Call, admit: () => void): void {
    if (!channel.hasSubscribers) {
      admit()
      return
    }
    const idOf = this.#idOf
    const trace: CallTrace = {
      fn: call.fn,
      args: call.args,
      get id() {
        return idOf(call)
      },
    }
    this.#traces.set(call, trace)
    channel.start.runStores(trace, admit)
    channel.end.publish(trace)
  }

  finished(call: Call, outcome: Outcome): void {
    const trace = this.#traces.size > 0 ? this.#traces.get(call) : undefined
    if (!trace) return
    this.#traces.delete(call)
    if (outcome.ok) trace.result = outcome.value
    else {
      trace.error = outcome.error
      channel.error.publish(trace)
    }
    channel.asyncStart.publish(trace)
    channel.asyncEnd.publish(trace)
  }
}
