import type { RunnerEvents } from '../../model/events.ts'
import type { AnyFunctions } from '../../model/functions.ts'
import type { CloseOptions, Runner, RunnerStats } from '../../model/runner.ts'

/** A runner on another host, which is spoken to over HTTP. */
export interface Client<F = AnyFunctions> extends Runner<F> {
  /**
   * What this client knows of the calls that it started, by what it was told of each: nothing of those of other clients,
   * nor of what has happened since. Times, threads and processes are the node's own affair, and 0 here.
   */
  stats(): RunnerStats

  /**
   * The stats of the node's runner: of all its calls, whoever has started them.
   *
   * @throws CallError `NODE_UNREACHABLE`, or `RUNNER_CLOSED` after `disconnect`.
   */
  nodeStats(): Promise<RunnerStats>

  /**
   * Calls `listener` at each such event of the calls of this client's principal, until `off`. Events are asked for while
   * somebody listens. A call that is started afterwards is sent when they are heard, or cannot be had for now; it waits for
   * that as long as its `timeout` says, and 2 seconds at least. A stream that broke goes on where it was, if that is within
   * 30 seconds and 100 events.
   */
  on<E extends keyof RunnerEvents>(event: E, listener: (...args: RunnerEvents[E]) => void): this

  /**
   * Takes no more calls, lets those that this client started end (or aborts them), and ends the connections. A wait for
   * somebody else's call is then answered with `RUNNER_CLOSED`, as is whatever is asked afterwards. The node goes on.
   *
   * Of calls that nobody came back for, the last 10,000 are waited for. A call of which nothing can be learnt, as its
   * node does not answer, is waited for no longer.
   */
  close(options?: CloseOptions): Promise<void>

  /**
   * Ends the connections at once and leaves the calls to the node: whoever has their IDs can come back for them. Starts
   * and waits under way are answered with `RUNNER_CLOSED`.
   */
  disconnect(): Promise<void>
}
