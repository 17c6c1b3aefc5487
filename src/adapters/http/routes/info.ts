import type { FastifyReply, FastifyRequest } from 'fastify'
import { formOfAccept } from '../../wire/media.ts'
import { sendProblem } from '../answers.ts'
import type { HttpNode } from '../http-node.ts'
import { inFull } from '../readiness.ts'

/** `GET /v1/health`: the process answers. */
export function health(node: HttpNode): { status: 'ok'; node: string } {
  return { status: 'ok', node: node.tag }
}

/** `GET /v1/ready`: the node can be sent calls. */
export async function ready(node: HttpNode, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const found = await node.readiness.look(request.log)
  if (!found) return { status: 'ready', node: node.tag }
  // Whoever watches the node need not be known; and need not be told how the application is made.
  const isTold = found.error !== undefined && (await node.knows(request))
  const problem = isTold ? inFull(found, formOfAccept(request.headers.accept) ?? 'plain') : found.problem
  return sendProblem(reply, problem, 1)
}

/** `GET /v1/functions`: what can be called. */
export async function functions(node: HttpNode, request: FastifyRequest): Promise<{ functions: string[] }> {
  await node.admit(request, {})
  return { functions: [...node.functions] }
}

/** `GET /v1/stats`: the figures of the whole runner. */
export async function stats(node: HttpNode, request: FastifyRequest): Promise<object> {
  await node.admit(request, {})
  // A runner elsewhere has to be asked.
  return await node.runner.stats()
}
