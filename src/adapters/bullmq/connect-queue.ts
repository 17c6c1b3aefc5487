import type { AnyFunctions } from '../../model/functions.ts'
import { resolveConnect, type ConnectOptions } from './options.ts'
import { ConnectedRunner, type QueueRunner } from './queue-runner.ts'

/**
 * A runner whose calls run on the machines that serve a queue: `connectQueue<typeof functions>({ queue, connection })`.
 *
 * It connects at once, and keeps the process alive until it is closed. Any client can wait for a call by its
 * ID, on any machine. `CALL_EXPIRED` says of an ID that the call was in this queue and its outcome is no longer kept;
 * `CALL_LOST`, that the queue has lost its data since or that it is another queue's; as an outcome, that the machine died
 * that ran the call. `NODE_UNREACHABLE`: Redis does not answer.
 *
 * @throws TypeError or RangeError for an option that is not right.
 */
export function connectQueue<F = AnyFunctions>(options: ConnectOptions<F>): QueueRunner<F> {
  return new ConnectedRunner<F>(resolveConnect(options as ConnectOptions))
}
