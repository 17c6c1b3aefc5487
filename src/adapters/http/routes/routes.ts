import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../../model/clock.ts'
import { EVENTS_TYPE } from '../../wire/media.ts'
import { describe, documentOf, WITH_VALUES } from '../documentation.ts'
import type { HttpNode } from '../http-node.ts'
import { CallParams, CancelBody, ListQuery, Named, StartBody, WaitQuery } from '../schemas.ts'
import * as calls from './calls.ts'
import * as info from './info.ts'
import { start, type StartRequest } from './start.ts'
import { allEvents, callEvents } from './streams.ts'

const Call = Named('Call')

/** Adds all resources to an app. */
export function addRoutes(app: FastifyInstance, node: HttpNode, clock: Clock): void {
  addCalls(app, node)
  addEvents(app, node, clock)
  addInfo(app, node)
}

function addCalls(app: FastifyInstance, node: HttpNode): void {
  app.post<{ Body: StartBody }>(
    '/calls',
    {
      schema: describe({
        operationId: 'startCall',
        summary: 'Begins a call and waits a bounded time for it',
        body: StartBody,
        answers: { 200: ['The call has finished', Call], 202: ['The call goes on', Call] },
        types: WITH_VALUES,
      }),
    },
    (request: StartRequest, reply) => start(node, request, reply),
  )
  app.get<{ Querystring: ListQuery }>(
    '/calls',
    {
      schema: describe({
        operationId: 'listCalls',
        summary: "Lists the caller's own calls, in the order of their admission",
        querystring: ListQuery,
        answers: { 200: ['A page of calls', Named('CallPage')] },
        types: WITH_VALUES,
      }),
    },
    (request, reply) => calls.list(node, request, reply),
  )
  app.get<{ Params: CallParams; Querystring: WaitQuery }>(
    '/calls/:id',
    {
      schema: describe({
        operationId: 'waitForCall',
        summary: 'Waits for a call again',
        params: CallParams,
        querystring: WaitQuery,
        answers: { 200: ['How the call stands', Call], 304: ['It stands as the client knows'] },
        types: WITH_VALUES,
      }),
    },
    (request, reply) => calls.wait(node, request, reply),
  )
  app.post<{ Params: CallParams; Body: CancelBody | null | undefined }>(
    '/calls/:id/cancel',
    {
      schema: describe({
        operationId: 'cancelCall',
        summary: 'Asks a call to end',
        params: CallParams,
        body: Type.Union([CancelBody, Type.Null()]),
        answers: { 200: ['The call had ended', Call], 202: ['The call was asked to end', Call] },
        types: WITH_VALUES,
      }),
    },
    (request, reply) => calls.cancel(node, request, reply),
  )
  app.delete<{ Params: CallParams }>(
    '/calls/:id',
    {
      schema: describe({
        operationId: 'forgetCall',
        summary: 'Drops a finished call',
        params: CallParams,
        answers: { 204: ['The call is no longer kept'] },
      }),
    },
    (request, reply) => calls.forget(node, request, reply),
  )
}

function addEvents(app: FastifyInstance, node: HttpNode, clock: Clock): void {
  const answers = { 200: ['Server-sent events', Type.String()] } as const
  const types = [EVENTS_TYPE]
  app.get(
    '/events',
    {
      exposeHeadRoute: false,
      schema: describe({ operationId: 'listen', summary: "What happens to the caller's own calls", answers, types }),
    },
    (request, reply) => allEvents(node, request, reply, clock),
  )
  app.get<{ Params: CallParams }>(
    '/calls/:id/events',
    {
      exposeHeadRoute: false,
      schema: describe({
        operationId: 'listenToCall',
        summary: 'What happens to a call: `started`, `progress`, `finished`',
        params: CallParams,
        answers: { ...answers, 204: ['The client has had the end'] },
        types,
      }),
    },
    (request, reply) => callEvents(node, request, reply, clock),
  )
}

function addInfo(app: FastifyInstance, node: HttpNode): void {
  const Status = Type.Object({ status: Type.String(), node: Type.String() })
  const Names = Type.Object({ functions: Type.Array(Type.String()) })
  type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown
  const add = (path: string, operationId: string, summary: string, body: Type.TSchema, handler: Handler): void => {
    app.get(path, { schema: describe({ operationId, summary, answers: { 200: [summary, body] } }) }, handler)
  }
  add('/health', 'getHealth', 'The process answers', Status, () => info.health(node))
  add('/ready', 'getReadiness', 'The node can be sent calls', Status, (request, reply) =>
    info.ready(node, request, reply),
  )
  add('/functions', 'listFunctions', 'What can be called', Names, (request) => info.functions(node, request))
  add('/stats', 'getStats', 'Figures of the whole runner', Type.Object({}, { additionalProperties: true }), (request) =>
    info.stats(node, request),
  )
  app.get('/openapi.json', { schema: { hide: true } }, () => documentOf(app))
}
