import type { CallId } from '../../model/call-id.ts'
import { CallError, isCallErrorCode, type CallErrorCode, type Started } from '../../model/errors.ts'
import type { Form } from './media.ts'
import { readValue } from './values.ts'

/** Problem details, RFC 9457: what went wrong before there was an outcome. */
export interface ProblemJson {
  /** One for each cause, `urn:coatcheck:problem:queue-full` and so on. */
  type: string
  title: string
  status: number
  detail: string
  /** Whether the same request may be sent again and could go well. */
  retryable: boolean
  /** Whether the function of the call that was asked for had begun. */
  started: Started
  /** Where the runner has a code for it. */
  code?: string
  fn?: string
  id?: string
  /** What it came of, in the form that was asked for. */
  cause?: unknown
}

interface Kind {
  status: number
  title: string
  code?: CallErrorCode
  retryable?: true
  started?: Started
}

/** Every cause. A request that was refused has started nothing, unless it says otherwise. */
const KINDS = {
  'invalid-request': { status: 400, title: 'The request is not right' },
  'malformed-request': { status: 400, title: 'What arrived is no request', retryable: true },
  'invalid-timeout': { status: 400, title: 'The timeout is not right' },
  unauthorized: { status: 401, title: 'The caller is not known', code: 'NOT_PERMITTED' },
  forbidden: { status: 403, title: 'The caller may not do that', code: 'NOT_PERMITTED' },
  'not-found': { status: 404, title: 'There is no such resource' },
  'function-not-found': { status: 404, title: 'There is no such function', code: 'FUNCTION_NOT_FOUND' },
  'call-unknown': { status: 404, title: 'There is no such call', code: 'CALL_UNKNOWN', started: 'unknown' },
  'not-acceptable': { status: 406, title: 'The answer cannot be given in that media type' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive', retryable: true },
  'call-running': {
    status: 409,
    title: 'The call has not ended',
    code: 'CALL_RUNNING',
    retryable: true,
    started: 'unknown',
  },
  'call-expired': { status: 410, title: 'The call is no longer kept', code: 'CALL_EXPIRED', started: 'unknown' },
  'call-lost': { status: 410, title: "The call's runner is gone", code: 'CALL_LOST', started: 'unknown' },
  'node-changed': { status: 412, title: 'This is another node than the one that was asked' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'uri-too-long': { status: 414, title: 'The address is too long' },
  'unsupported-media-type': { status: 415, title: 'The body is of another media type than can be read' },
  'arguments-unfit': { status: 422, title: 'The arguments do not fit', code: 'NOT_CLONEABLE' },
  'key-reused': { status: 422, title: 'The idempotency key stands for another call', code: 'KEY_REUSED' },
  'queue-full': { status: 429, title: 'The queue is full', code: 'QUEUE_FULL', retryable: true },
  'rate-limited': { status: 429, title: 'Too many requests', code: 'NOT_PERMITTED', retryable: true },
  'too-many-waits': { status: 429, title: 'Too many waits at once', code: 'NOT_PERMITTED', retryable: true },
  'expectation-failed': { status: 417, title: 'The expectation cannot be met' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'The node failed', started: 'unknown' },
  draining: { status: 503, title: 'The node is closing', code: 'RUNNER_CLOSED' },
  'not-ready': { status: 503, title: 'The node is not ready yet', retryable: true },
  'spawn-failed': { status: 503, title: 'The functions cannot be run', code: 'SPAWN_FAILED', retryable: true },
} as const satisfies Record<string, Kind>

export type ProblemKind = keyof typeof KINDS

const PREFIX = 'urn:coatcheck:problem:'

export interface ProblemDetails {
  fn?: string | undefined
  id?: string | undefined
  retryable?: boolean
  started?: Started
}

export function createProblem(kind: ProblemKind, detail: string, details: ProblemDetails = {}): ProblemJson {
  const { status, title, code, retryable, started }: Kind = KINDS[kind]
  const { fn, id } = details
  return {
    type: PREFIX + kind,
    title,
    status,
    detail,
    retryable: details.retryable ?? retryable ?? false,
    started: details.started ?? started ?? 'no',
    ...(code !== undefined && { code }),
    ...(fn !== undefined && { fn }),
    ...(id !== undefined && { id }),
  }
}

/** The problem of what a runner refuses; undefined for a code that no refusal has. */
export function problemOf(error: CallError): ProblemJson | undefined {
  const kind = KIND_OF.get(error.code)
  if (!kind) return undefined
  const { fn, id, retryable, started } = error
  return createProblem(kind, error.message, { fn, id, retryable, started })
}

const KIND_OF = new Map<string, ProblemKind>()
for (const [kind, { code }] of Object.entries(KINDS) as [ProblemKind, Kind][]) {
  if (code !== undefined && !KIND_OF.has(code)) KIND_OF.set(code, kind)
}

/** Which cause a problem names; undefined for a type that is not of this list. */
export function kindOf({ type }: ProblemJson): ProblemKind | undefined {
  const kind = type.startsWith(PREFIX) ? type.slice(PREFIX.length) : undefined
  return kind !== undefined && Object.hasOwn(KINDS, kind) ? (kind as ProblemKind) : undefined
}

/**
 * The error that a problem is to a caller of the `Runner` interface. One without a code is a `PROTOCOL_ERROR`: whoever
 * keeps to the interface is not told such things, so somebody else stands between.
 */
export function errorOf(problem: ProblemJson, form: Form = 'plain'): CallError {
  const { code, detail, title, fn, id, retryable, started } = problem
  return new CallError(isCallErrorCode(code) ? code : 'PROTOCOL_ERROR', detail || title, {
    fn,
    id: id as CallId | undefined,
    retryable,
    started,
    ...('cause' in problem && { cause: readValue(problem.cause, form) }),
  })
}

/** Whether what came as a body is a problem. */
export function isProblem(body: unknown): body is ProblemJson {
  const { type, status, detail } = Object(body) as Partial<Record<keyof ProblemJson, unknown>>
  return typeof type === 'string' && typeof status === 'number' && typeof detail === 'string'
}
