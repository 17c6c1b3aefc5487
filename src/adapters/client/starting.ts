import { hash, randomUUID } from 'node:crypto'
import type { CallId } from '../../model/call-id.ts'
import { CallError } from '../../model/errors.ts'
import type { CallStatus } from '../../model/status.ts'
import { KEY_HEADER, LONGEST_WAIT, NODE_HEADER } from '../wire/headers.ts'
import { writeSpan } from '../wire/spans.ts'
import { statusOf } from './answers.ts'
import type { CallRequest } from './call-request.ts'
import type { Line } from './line.ts'

/** A call that is to be started: however often the node is asked for it, it runs once. */
export class Starting {
  readonly fn: string
  readonly #line: Line
  readonly #key: string
  /** The request's body, but for the timeout and the end. */
  readonly #body: string
  readonly #isRepeatable: boolean
  /** The node that the call is for: no other may have it when this one may have it already. */
  #tag: string | undefined
  #id: CallId | undefined
  #isAsked = false

  /** @param margin of the line, in milliseconds. */
  constructor(line: Line, margin: number, request: CallRequest) {
    const { fn, args, timeout, abortAfter, grace, retain, priority, idempotencyKey } = request
    this.fn = fn
    this.#line = line
    this.#key = idempotencyKey === undefined ? randomUUID() : headerOf(idempotencyKey)
    const spans = Object.entries({ abortAfter, grace, retain })
      .filter(([, ms]) => ms !== undefined)
      .map(([name, ms]) => `,"${name}":${writeSpan(ms as number)}`)
    const rank = priority === undefined ? '' : `,"priority":${priority}`
    this.#body = `{"fn":${JSON.stringify(fn)},"args":${args}${spans.join('')}${rank}`
    // The node knows the key for as long as it keeps the call.
    this.#isRepeatable = retain === undefined || retain > Math.min(timeout, LONGEST_WAIT) + 3 * margin
  }

  /** The call, where the node has told its ID. */
  get id(): CallId | undefined {
    return this.#id
  }

  /** Whether the node may have been asked for the call, so that it may run. */
  get isAsked(): boolean {
    return this.#isAsked
  }

  /**
   * Asks for the call's status, and by that for its start where the node does not have it yet.
   *
   * @throws CallError for a call that is refused, a node that does not answer, or one that has given way to another;
   * the reason of `stop`.
   */
  async ask(wait: number, stop?: AbortSignal): Promise<CallStatus> {
    const { fn } = this
    for (;;) {
      this.#tag ??= await this.#line.tag({ fn, signal: stop })
      this.#isAsked = true
      const reply = await this.#line.ask({
        method: 'POST',
        path: () => '/calls',
        headers: { [KEY_HEADER]: this.#key, [NODE_HEADER]: this.#tag },
        body: (held) => `${this.#body},"timeout":${held}}`,
        wait,
        isRepeatable: this.#isRepeatable,
        signal: stop,
        fn,
      })
      if (reply.kind !== 'node-changed') return this.#told(statusOf(reply))
      if (reply.isRepeat) throw lost(fn)
      // Neither the node that was meant has had it, nor has this one taken it.
      this.#tag = undefined
    }
  }

  #told(status: CallStatus): CallStatus {
    this.#id ??= status.id
    return status
  }
}

/** A key as a header can carry it: one that it cannot is told by its digest. */
function headerOf(key: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]{0,200}[\x21-\x7e])?$/.test(key)
  return isPlain ? key : `sha256:${hash('sha256', key)}`
}

function lost(fn: string): CallError {
  const message = `the node was restarted while a call of "${fn}" was started on it: whether it ran is not known`
  return new CallError('CALL_LOST', message, { fn })
}
