import { Type, type Static, type TSchema } from 'typebox'
import { MAX_LIST_LIMIT } from '../../model/options.ts'
import type { CancelJson, StartJson } from '../wire/requests.ts'

// Written once: they check what comes in, type it, and are the parts of the OpenAPI document.

/** What the names of ours begin with among all schemas of an app, which may have a `Call` of its own. */
const OURS = 'coatcheck.'

/** One of the schemas that have names. */
export function Named(name: string): Type.TRef<string> {
  return Type.Ref(`${OURS}${name}#`)
}

/** What the document calls a schema; undefined for one of the app's. */
export function nameOf(id: string): string | undefined {
  return id.startsWith(OURS) ? id.slice(OURS.length) : undefined
}

/** Milliseconds. JSON has no Infinity: the largest number there is stands for it. */
function Milliseconds(description: string): Type.TNumber {
  return Type.Number({ minimum: 0, description: `Milliseconds. ${description}` })
}

const Id = Type.String({ description: 'The ID of a call. Opaque.' })

const ANY_VALUE = 'Any value: plain JSON, or in the flattened form of `devalue` with `application/vnd.coatcheck+json`.'

export const StartBody = Type.Object(
  {
    fn: Type.String({ maxLength: 256, description: 'The name of the function.' }),
    args: Type.Array(Type.Unknown(), { description: 'Positional arguments.' }),
    timeout: Type.Optional(Milliseconds('How long to wait for the call. At most 29 s are applied. Default: 10,000.')),
    abortAfter: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'Milliseconds. How long the call may run before it is aborted. No limit when left out.',
      }),
    ),
    grace: Type.Optional(Milliseconds("Between a polite abort and a kill. Default: the function's.")),
    retain: Type.Optional(Milliseconds("How long the finished call can be asked for. Default: the function's.")),
    priority: Type.Optional(
      Type.Integer({ minimum: -100, maximum: 100, description: 'Higher goes first. Default: 0.' }),
    ),
  },
  { additionalProperties: false },
)
/** As the client writes it, and as it is checked. */
export type StartBody = StartJson & Static<typeof StartBody>

export const CancelBody = Type.Object(
  {
    reason: Type.Optional(Type.Unknown({ description: `Why. ${ANY_VALUE}` })),
    grace: Type.Optional(Milliseconds("Between the polite abort and the kill. Default: the call's.")),
  },
  { additionalProperties: false },
)
export type CancelBody = CancelJson & Static<typeof CancelBody>

export const CallParams = Type.Object({ id: Type.String({ maxLength: 256, description: 'The ID of the call.' }) })
export type CallParams = Static<typeof CallParams>

export const WaitQuery = Type.Object(
  { timeout: Type.Optional(Milliseconds('How long to wait for the call. At most 29 s are applied. Default: 10,000.')) },
  { additionalProperties: false },
)
export type WaitQuery = Static<typeof WaitQuery>

const State = Type.Union([Type.Literal('queued'), Type.Literal('running'), Type.Literal('finished')])

export const ListQuery = Type.Object(
  {
    state: Type.Optional(State),
    fn: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIST_LIMIT, description: 'Default: 100.' })),
    cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$', description: 'Where the page before ended.' })),
  },
  { additionalProperties: false },
)
export type ListQuery = Static<typeof ListQuery>

// What is answered

const Started = Type.Union([Type.Literal('no'), Type.Literal('yes'), Type.Literal('unknown')], {
  description: 'Whether the function had begun.',
})

const ErrorAnswer = Type.Object(
  {
    code: Type.String({ description: 'Such as `FUNCTION_THREW`.' }),
    message: Type.String(),
    retryable: Type.Boolean(),
    started: Started,
    fn: Type.Optional(Type.String()),
    id: Type.Optional(Id),
    step: Type.Optional(Type.Union([Type.Literal('queued'), Type.Literal('cooperative'), Type.Literal('killed')])),
    exitCode: Type.Optional(Type.Integer()),
    signal: Type.Optional(Type.String()),
    stderr: Type.Optional(Type.String()),
    cause: Type.Optional(Type.Unknown({ description: 'What the function threw.' })),
  },
  { $id: `${OURS}CallError`, description: 'Why a call failed.' },
)

const Call = Type.Object(
  {
    id: Type.Optional(Id),
    fn: Type.String(),
    finished: Type.Boolean(),
    state: Type.Optional(Type.Union([Type.Literal('queued'), Type.Literal('running')])),
    progress: Type.Optional(Type.Unknown({ description: 'What the function reported last.' })),
    ok: Type.Optional(Type.Boolean({ description: 'Of a finished call: whether it has a value, or an error.' })),
    value: Type.Optional(Type.Unknown({ description: ANY_VALUE })),
    error: Type.Optional(Named('CallError')),
  },
  { $id: `${OURS}Call`, description: 'A call: `state` while it goes on, then `ok` with `value` or `error`.' },
)

const CallInfo = Type.Object(
  {
    id: Id,
    fn: Type.String(),
    priority: Type.Integer(),
    state: State,
    admittedAt: Type.Number({ description: 'Unix time in milliseconds.' }),
    startedAt: Type.Optional(Type.Number({ description: 'Unix time in milliseconds.' })),
    finishedAt: Type.Optional(Type.Number({ description: 'Unix time in milliseconds.' })),
    ok: Type.Optional(Type.Boolean()),
    progress: Type.Optional(Type.Unknown()),
  },
  { $id: `${OURS}CallInfo`, description: 'A row of the list of calls.' },
)

const CallPage = Type.Object(
  {
    calls: Type.Array(Named('CallInfo')),
    cursor: Type.Optional(Type.String({ description: 'Where the next page begins; left out on the last page.' })),
  },
  { $id: `${OURS}CallPage` },
)

const Problem = Type.Object(
  {
    type: Type.String({ description: 'A URN for each cause: `urn:coatcheck:problem:queue-full` and so on.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    retryable: Type.Boolean({ description: 'Whether the same request may be sent again and could go well.' }),
    started: Started,
    code: Type.Optional(Type.String()),
    fn: Type.Optional(Type.String()),
    id: Type.Optional(Id),
  },
  { $id: `${OURS}Problem`, description: 'Problem details, RFC 9457.' },
)

/** Those that have names in the document. */
export const NAMED: readonly TSchema[] = [ErrorAnswer, Call, CallInfo, CallPage, Problem]
