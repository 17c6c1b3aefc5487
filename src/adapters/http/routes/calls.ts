import type { FastifyReply, FastifyRequest } from 'fastify'
import { writeInfo } from '../../wire/envelopes.ts'
import { formOfContent } from '../../wire/media.ts'
import { readSpan } from '../../wire/spans.ts'
import { readValue } from '../../wire/values.ts'
import { answerForm, callBody, retryAfter, sendJson, sendTagged, tellWait } from '../answers.ts'
import type { HttpNode } from '../http-node.ts'
import { listAmong } from '../own-calls.ts'
import { appliedWait } from '../preferences.ts'
import { refuse } from '../refusal.ts'
import type { CallParams, CancelBody, ListQuery, WaitQuery } from '../schemas.ts'

/** `GET /v1/calls/{id}`: waits for a call again. */
export async function wait(
  node: HttpNode,
  request: FastifyRequest<{ Params: CallParams; Querystring: WaitQuery }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id } = request.params
  const form = answerForm(request)
  const applied = appliedWait(request.query.timeout, request.headers['prefer'])
  const owned = await node.find(request, id)
  const { fn } = owned
  const status = await node.waiting.wait(id, applied.ms, owned, reply.raw)
  if (status === 'disconnected') return reply.hijack()
  if (status === 'no room') throw refuse('too-many-waits', 'as many waits are held as the node allows', { fn, id }, 1)
  tellWait(reply, applied)
  if (!status.finished) reply.header('retry-after', retryAfter(applied.ms))
  return sendTagged(request, reply, form, callBody(fn, status, form))
}

/** `POST /v1/calls/{id}/cancel`: asks a call to end. */
export async function cancel(
  node: HttpNode,
  request: FastifyRequest<{ Params: CallParams; Body: CancelBody | null | undefined }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id } = request.params
  const form = answerForm(request)
  const { fn } = await node.find(request, id)
  const { reason, grace } = request.body ?? {}
  const status = await node.runner.cancel(id, {
    ...(reason !== undefined && {
      reason: readValue(reason, formOfContent(request.headers['content-type']) ?? 'plain'),
    }),
    ...(grace !== undefined && { grace: readSpan(grace) }),
  })
  return sendJson(reply, status.finished ? 200 : 202, form, callBody(fn, status, form))
}

/** `DELETE /v1/calls/{id}`: drops a finished call. */
export async function forget(
  node: HttpNode,
  request: FastifyRequest<{ Params: CallParams }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id } = request.params
  await node.find(request, id)
  await node.runner.forget(id)
  node.ledger.delete(id)
  node.keys.free(id)
  return reply.code(204).send()
}

/** `GET /v1/calls`: lists the caller's own calls. */
export async function list(
  node: HttpNode,
  request: FastifyRequest<{ Querystring: ListQuery }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const form = answerForm(request)
  const { query } = request
  const principal = await node.admit(request, query.fn === undefined ? {} : { fn: query.fn })
  const { calls, cursor } = await listAmong(node.runner, query, (id) => node.ledger.get(id)?.principal === principal)
  const rows = calls.map((info) => writeInfo(info, form)).join(',')
  const end = cursor === undefined ? '' : `,"cursor":${JSON.stringify(cursor)}`
  return sendJson(reply, 200, form, `{"calls":[${rows}]${end}}`)
}
