import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CallId } from '../../../model/call-id.ts'
import type { Clock } from '../../../model/clock.ts'
import type { CallFinished } from '../../../model/events.ts'
import type { CallStatus } from '../../../model/status.ts'
import { accepts, EVENTS_TYPE, formOfAccept, RICH_TYPE, type Form } from '../../wire/media.ts'
import { LAST_ID, type Channel } from '../events/channel.ts'
import { EventStream } from '../events/event-stream.ts'
import type { HttpNode } from '../http-node.ts'
import { refuse } from '../refusal.ts'
import { streamOf } from '../response.ts'
import type { CallParams } from '../schemas.ts'

/** `GET /v1/calls/{id}/events`: what happens to a call, until it has ended. */
export async function callEvents(
  node: HttpNode,
  request: FastifyRequest<{ Params: CallParams }>,
  reply: FastifyReply,
  clock: Clock,
): Promise<FastifyReply> {
  const { id } = request.params
  const form = eventForm(request)
  const { principal, fn } = await node.find(request, id)
  const lastId = lastIdOf(request)
  // A browser that is told of no content does not come again.
  if (lastId === LAST_ID) return reply.code(204).send()
  // Listen before looking: the call may end in between.
  const channel = node.hub.ofCall(id)
  const status = await look(node, channel, id)
  const stream = open(node, { principal, channel, reply, form, clock, endsWithCall: true })
  if (!stream) return reply
  const missed = channel.since(lastId)
  for (const event of missed ?? []) stream.send(event)
  if (!missed || status.finished) tellState(stream, channel, { ...status, id: id as CallId }, fn)
  if (status.finished) stream.close()
  return reply
}

/** `GET /v1/events`: what happens to all calls of the caller's. */
export async function allEvents(
  node: HttpNode,
  request: FastifyRequest,
  reply: FastifyReply,
  clock: Clock,
): Promise<FastifyReply> {
  const form = eventForm(request)
  const principal = await node.admit(request, {})
  const channel = node.hub.ofPrincipal(principal)
  const stream = open(node, { principal, channel, reply, form, clock, endsWithCall: false })
  if (!stream) return reply
  for (const event of channel.since(lastIdOf(request)) ?? []) stream.send(event)
  return reply
}

async function look({ runner, hub }: HttpNode, channel: Channel, id: string): Promise<CallStatus> {
  try {
    return await runner.wait(id, { timeout: 0 })
  } catch (error) {
    hub.leave(channel)
    throw error
  }
}

interface Opening {
  principal: string
  channel: Channel
  reply: FastifyReply
  form: Form
  clock: Clock
  endsWithCall: boolean
}

/** Undefined when the client has gone meanwhile: nothing would end a stream to it any more. */
function open({ streams, hub }: HttpNode, { principal, channel, reply, ...parts }: Opening): EventStream | undefined {
  if (streamOf(reply.raw).destroyed) {
    hub.leave(channel)
    reply.hijack()
    return undefined
  }
  if (!streams.take(principal)) {
    hub.leave(channel)
    throw refuse('too-many-waits', 'as many streams are open as the node allows one principal', {}, 1)
  }
  reply.hijack()
  const response = reply.raw
  // `no-transform` and the other keep proxies from holding events back.
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': EVENTS_TYPE,
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  })
  return new EventStream({
    ...parts,
    channel,
    response,
    onEnd: () => {
      streams.giveBack(principal)
      hub.leave(channel)
    },
  })
}

/** What a client that comes for the first time, or too late, is told: how the call stands. */
function tellState(stream: EventStream, channel: Channel, status: CallStatus & { id: CallId }, fn: string): void {
  if (status.finished) {
    const { id, finished: _finished, ...outcome } = status
    const event: CallFinished = { id, fn, outcome, queueTime: 0, runTime: 0 }
    stream.write('finished', [event], LAST_ID)
  } else if (status.progress !== undefined) {
    stream.write('progress', [{ id: status.id, fn, progress: status.progress }], channel.lastId)
  }
}

/** The form of the values inside the events: `text/event-stream` says nothing of it, so the other type stands beside it. */
function eventForm({ headers: { accept } }: FastifyRequest): Form {
  if (!accepts(accept, EVENTS_TYPE)) {
    throw refuse('not-acceptable', `the answer is ${EVENTS_TYPE}, with ${RICH_TYPE} beside it for all kinds of values`)
  }
  return formOfAccept(accept) ?? 'plain'
}

function lastIdOf({ headers }: FastifyRequest): string | undefined {
  const lastId = headers['last-event-id']
  return typeof lastId === 'string' ? lastId : undefined
}
