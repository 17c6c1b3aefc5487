import type { FastifyReply, FastifyRequest } from 'fastify'
import { hash } from 'node:crypto'
import type { CallStatus } from '../../model/status.ts'
import { writeCall } from '../wire/envelopes.ts'
import { NODE_HEADER, WAIT_HEADER } from '../wire/headers.ts'
import { formOfAccept, PROBLEM_TYPE, RICH_TYPE, TYPE_OF, type Form } from '../wire/media.ts'
import { createProblem, type ProblemJson } from '../wire/problems.ts'
import { UnwritableError } from '../wire/values.ts'
import type { AppliedWait } from './preferences.ts'
import { refuse } from './refusal.ts'

/** @throws Refusal for a client that takes none of the forms. */
export function answerForm({ headers: { accept } }: FastifyRequest): Form {
  const form = formOfAccept(accept)
  if (form) return form
  throw refuse('not-acceptable', `the answer can be ${TYPE_OF.plain} or ${RICH_TYPE}; got Accept: ${accept}`)
}

/** The envelope of a call as a body. */
export function callBody(fn: string, status: CallStatus, form: Form): string {
  try {
    return writeCall(fn, status, form)
  } catch (error) {
    if (!(error instanceof UnwritableError)) throw error
    // The call has gone as it has: another media type can say how.
    const started = status.finished || status.state === 'running' ? 'yes' : 'no'
    throw refuse('not-acceptable', error.message, { fn, id: status.id, started })
  }
}

/** What every answer says: by whom it is, and that it is not to be had again from anywhere else. */
export function tellNode(reply: FastifyReply, tag: string): FastifyReply {
  return reply.header('cache-control', 'no-store').header(NODE_HEADER, tag)
}

/** Milliseconds that were waited, for whoever looks at the headers. */
export function tellWait(reply: FastifyReply, { ms, preference }: AppliedWait): void {
  reply.header(WAIT_HEADER, ms)
  if (preference !== undefined) reply.header('preference-applied', preference)
}

/** Seconds after which to ask again: at once where the wait is held, and not too often where it is not. */
export function retryAfter(wait: number): number {
  return wait > 0 ? 0 : 1
}

export function sendJson(reply: FastifyReply, status: number, form: Form, body: string): FastifyReply {
  return reply.code(status).header('content-type', TYPE_OF[form]).send(body)
}

/** Sends what may be asked for again: not again what the client has already. */
export function sendTagged(request: FastifyRequest, reply: FastifyReply, form: Form, body: string): FastifyReply {
  const tag = `"${hash('sha1', body, 'base64url')}"`
  reply.header('etag', tag).header('vary', 'accept')
  if (isNamed(tag, request.headers['if-none-match'])) return reply.code(304).send()
  return sendJson(reply, 200, form, body)
}

function isNamed(tag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((each) => each.trim().replace(/^W\//, '') === tag)
}

export function sendProblem(reply: FastifyReply, problem: ProblemJson, after?: number): FastifyReply {
  if (after !== undefined) reply.header('retry-after', after)
  // Fastify ends a connection whose body it did not read to its end: in HTTP/2 a request has a stream of its own.
  if (reply.request.raw.httpVersionMajor > 1) reply.removeHeader('connection')
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(problem.status).header('content-type', PROBLEM_TYPE).send(JSON.stringify(problem))
}

/** A problem before there is a reply to send it with: a whole answer of HTTP/1.1, after which the connection ends. */
export function rawProblem(
  kind: Parameters<typeof createProblem>[0],
  detail: string,
  reason: string,
  tag: string,
): string {
  const problem = createProblem(kind, detail)
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${reason}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    `${NODE_HEADER}: ${tag}`,
    'connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
