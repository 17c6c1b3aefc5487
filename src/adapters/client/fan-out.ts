import type { Clock } from '../../model/clock.ts'
import { CallError } from '../../model/errors.ts'
import type { CallStatus } from '../../model/status.ts'
import { LONGEST_WAIT } from '../wire/headers.ts'
import type { PreparedCall } from './calls.ts'

/** What became of a call on one node. */
export type NodeResult<T = unknown> =
  | { ok: true; value: T }
  /**
   * `offline`: the node is marked so, and was not asked. A call that goes on has the code `CALL_RUNNING`, and its ID.
   */
  | { ok: false; error: CallError; offline: boolean }

/** A node that is asked, and what for. */
interface AskedNode {
  name: string
  fn: string
  call: PreparedCall
}

export interface FanOut {
  nodes: readonly AskedNode[]
  /** Milliseconds for all of them together. With 0 each is asked once, and answers without waiting for its call. */
  timeout: number
  /** Aborts the calls: each node has one more turn to tell what has become of it. */
  signal: AbortSignal | undefined
  clock: Clock
}

/** Nodes that are asked at once. */
const AT_ONCE = 30

/** Milliseconds of a turn, at most, that are left for the answer to arrive. */
const LONGEST_WAY = 1_000

const STOPPED = new Error('its turn is over')

/**
 * Gives the results of all nodes in the order in which they arrive, the last of them when the time is up.
 *
 * Where there are more nodes than are asked at once they take turns, so that those that hang do not keep the others from
 * being asked.
 */
export async function* fanOut({
  nodes,
  timeout,
  signal,
  clock,
}: FanOut): AsyncGenerator<[name: string, result: NodeResult]> {
  const until = clock.now() + timeout
  const rounds = Math.ceil(nodes.length / AT_ONCE)
  const turn = rounds === 1 ? timeout : Math.min(timeout / rounds, LONGEST_WAIT)
  const waiting = [...nodes]
  const arrived: [string, NodeResult][] = []
  const left = new AbortController()
  let tell: (() => void) | undefined

  const work = async (): Promise<void> => {
    for (let node = waiting.shift(); node && !left.signal.aborted; node = waiting.shift()) {
      // A node that has only to take the call has the client's margin for it, and is given up by itself.
      const ms = timeout === 0 ? Infinity : Math.min(turn, until - clock.now())
      const wait = timeout === 0 ? 0 : ms - Math.min(LONGEST_WAY, ms / 4)
      const isLast = signal?.aborted === true
      const result = await takeTurn(node, { ms, wait, clock, left: left.signal })
      if (result || isLast || clock.now() >= until) {
        arrived.push([node.name, result ?? unfinished(node)])
        tell?.()
      } else waiting.push(node)
    }
  }
  const workers = Array.from({ length: Math.min(AT_ONCE, nodes.length) }, work)

  try {
    for (let count = 0; count < nodes.length; count++) {
      if (arrived.length === 0) {
        await new Promise<void>((resolve) => {
          tell = resolve
        })
      }
      yield arrived.shift() as [string, NodeResult]
    }
  } finally {
    // Whoever stops reading leaves the calls to their nodes.
    left.abort(STOPPED)
    await Promise.all(workers)
  }
}

interface Turn {
  /** Milliseconds until the node is not asked any longer. */
  ms: number
  /** Milliseconds of these for which it waits for its call. */
  wait: number
  clock: Clock
  /** Ends the turn early. */
  left: AbortSignal
}

/** Asks a node. Gives its result, if there is one by the end of its turn. */
async function takeTurn({ fn, call }: AskedNode, { ms, wait, clock, left }: Turn): Promise<NodeResult | undefined> {
  if (ms <= 0) return undefined
  const turn = new AbortController()
  const stop = (): void => turn.abort(STOPPED)
  const timer = ms === Infinity ? undefined : clock.setTimeout(stop, ms)
  left.addEventListener('abort', stop, { once: true })
  try {
    return resultOf(await call.ask(wait, turn.signal))
  } catch (error) {
    if (error === STOPPED) return undefined
    return { ok: false, error: asCallError(error, fn), offline: false }
  } finally {
    timer?.clear()
    left.removeEventListener('abort', stop)
  }
}

function resultOf(status: CallStatus): NodeResult | undefined {
  if (!status.finished) return undefined
  return status.ok ? { ok: true, value: status.value } : { ok: false, error: status.error, offline: false }
}

/** Of a node that has given no result when the time is up. */
function unfinished({ name, fn, call: { id, isAsked } }: AskedNode): NodeResult {
  const error =
    id === undefined
      ? new CallError('NODE_UNREACHABLE', `node "${name}" did not answer in the time that there was`, {
          fn,
          started: isAsked ? 'unknown' : 'no',
        })
      : new CallError('CALL_RUNNING', `the call goes on at node "${name}": wait for it there by its ID`, { fn, id })
  return { ok: false, error, offline: false }
}

/** What a node refuses is its result, whatever it is. */
function asCallError(error: unknown, fn: string): CallError {
  if (error instanceof CallError) return error
  const message = `the node refused the call: ${error instanceof Error ? error.message : String(error)}`
  return new CallError('PROTOCOL_ERROR', message, { fn, started: 'no', cause: error })
}
