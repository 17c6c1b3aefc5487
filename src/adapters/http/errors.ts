import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { CallError } from '../../model/errors.ts'
import { createProblem, problemOf, type ProblemJson, type ProblemKind } from '../wire/problems.ts'
import { UnreadableError } from '../wire/values.ts'
import { sendProblem } from './answers.ts'
import { refuse, Refusal } from './refusal.ts'

/** Seconds after which a node that is full, or has no function process ready, may have room. */
const SOON = 1

/** What Fastify refuses by itself. */
const KIND_OF_STATUS = new Map<number, ProblemKind>([
  [400, 'invalid-request'],
  [404, 'not-found'],
  [408, 'request-timeout'],
  [413, 'body-too-large'],
  [414, 'uri-too-long'],
  [415, 'unsupported-media-type'],
  [431, 'headers-too-large'],
])

/** Answers whatever a request ends with but an answer: always with a problem. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof Refusal) return sendProblem(reply, error.problem, error.retryAfter)
  const problem = problemFor(error)
  if (problem) return sendProblem(reply, problem, problem.retryable || problem.status === 503 ? SOON : undefined)
  request.log.error({ err: error }, 'request failed')
  return sendProblem(reply, createProblem('internal', 'the node failed to answer; its log says why'))
}

function problemFor(error: unknown): ProblemJson | undefined {
  if (error instanceof CallError) return problemOf(error)
  if (error instanceof UnreadableError) return createProblem('arguments-unfit', error.message)
  const { statusCode = 500, message } = error as Partial<FastifyError>
  if (statusCode >= 500) return undefined
  const kind = KIND_OF_STATUS.get(statusCode) ?? 'invalid-request'
  return createProblem(kind, message ?? 'the request is not right')
}

export function notFound({ method, url }: FastifyRequest): Refusal {
  const path = url.split('?', 1)[0]
  return refuse('not-found', `there is no ${method} ${path}; see openapi.json for what there is`)
}
