import type { FastifyReply, FastifyRequest } from 'fastify'
import { embeddedOf } from '../../../model/embedded.ts'
import { CallError } from '../../../model/errors.ts'
import type { CallStatus } from '../../../model/status.ts'
import type { StartOptions } from '../../../model/runner.ts'
import { KEY_HEADER, KEY_REMEMBERED } from '../../wire/headers.ts'
import { formOfContent } from '../../wire/media.ts'
import { readSpan } from '../../wire/spans.ts'
import { readValue } from '../../wire/values.ts'
import { answerForm, callBody, retryAfter, sendJson, tellWait } from '../answers.ts'
import type { HttpNode } from '../http-node.ts'
import { appliedWait } from '../preferences.ts'
import { refuse } from '../refusal.ts'
import type { StartBody } from '../schemas.ts'
import type { WaitEnd } from '../waiting.ts'
import { locationOf } from './location.ts'

/** Arguments that a call may have: with many more, no function can be called. */
const MOST_ARGS = 65_535
const LONGEST_KEY = 512

export type StartRequest = FastifyRequest<{ Body: StartBody }>

/** `POST /v1/calls`: begins a call and waits a bounded time for it. */
export async function start(node: HttpNode, request: StartRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { body, headers } = request
  const { fn } = body
  const form = answerForm(request)
  const wait = appliedWait(body.timeout, headers['prefer'])
  const principal = await node.admit(request, { fn })
  node.checkNode(request)
  if (!node.functions.has(fn)) throw unknown(node, fn)
  const args = readArgs(request)

  await node.turn()
  const begun = await begin(node, principal, fn, args, request)
  const answer = await waitFor(node, begun, wait.ms, { principal, fn }, reply)
  if (answer === 'disconnected') return reply.hijack()
  // With no room for a wait the call goes on, and the answer is what it would be after one.
  const status = answer === 'no room' ? begun : answer
  await throwIfRefused(node, status)

  tellWait(reply, answer === 'no room' ? { ms: 0, preference: undefined } : wait)
  if (status.id !== undefined) reply.header('location', locationOf(request, status.id))
  if (status.finished) return sendJson(reply, 200, form, callBody(fn, status, form))
  reply.header('retry-after', answer === 'no room' ? 1 : retryAfter(wait.ms))
  return sendJson(reply, 202, form, callBody(fn, status, form))
}

/**
 * Begins the call without waiting for it, so that it is kept: its answer can get lost. And so that a client that goes
 * away can take its wait with it.
 */
async function begin(
  node: HttpNode,
  principal: string,
  fn: string,
  args: unknown[],
  { body, headers }: StartRequest,
): Promise<CallStatus> {
  const { abortAfter, grace, retain, priority } = body
  const key = readKey(headers[KEY_HEADER])
  // Two principals never mean the same by a key.
  const ownKey = key === undefined ? undefined : `${principal}\n${key}`
  const options: StartOptions & { timeout: 0 } = {
    timeout: 0,
    ...(abortAfter !== undefined && { abortAfter: readSpan(abortAfter) }),
    ...(grace !== undefined && { grace: readSpan(grace) }),
    ...(retain !== undefined && { retain: readSpan(retain) }),
    ...(priority !== undefined && { priority }),
    ...(ownKey !== undefined && { idempotencyKey: ownKey }),
  }
  await refuseIfGone(node, fn, ownKey)
  try {
    const begun = await node.runner.start(fn, args, options)
    if (ownKey !== undefined) remember(node, fn, ownKey, begun, options.retain)
    return begun
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== 'KEY_REUSED') throw error
    const detail = `the idempotency key "${key}" was given before, with another function or other arguments: use a new key`
    throw refuse('key-reused', detail, { fn })
  }
}

/** Keys of calls that are kept for long are not needed: the runner knows those itself. */
function remember({ runner, keys }: HttpNode, fn: string, key: string, { id }: CallStatus, given?: number): void {
  // For how long a runner elsewhere keeps its calls is not known here.
  const retain = given ?? embeddedOf(runner)?.retainOf(fn) ?? 0
  if (id !== undefined && retain < KEY_REMEMBERED) keys.remember(key, id)
}

/** @throws Refusal for a key whose call has gone before its start came again: it is not run twice. */
async function refuseIfGone({ runner, keys }: HttpNode, fn: string, key: string | undefined): Promise<void> {
  const id = key === undefined ? undefined : keys.get(key)
  if (id === undefined) return
  try {
    await runner.wait(id, { timeout: 0 })
  } catch {
    const detail = 'the call of this idempotency key has ended and is no longer kept: it is not run again'
    throw refuse('call-expired', detail, { fn, id })
  }
}

function waitFor(
  { waiting, ledger }: HttpNode,
  begun: CallStatus,
  ms: number,
  { principal, fn }: { principal: string; fn: string },
  reply: FastifyReply,
): Promise<CallStatus | WaitEnd> | CallStatus {
  const { id } = begun
  // The call of the same key, which has ended just now and is not kept.
  if (id === undefined) return begun
  return waiting.wait(id, ms, ledger.own(id, principal, fn), reply.raw)
}

function readKey(key: string | string[] | undefined): string | undefined {
  if (key === undefined) return undefined
  if (typeof key === 'string' && key !== '' && key.length <= LONGEST_KEY) return key
  throw refuse('invalid-request', `the header ${KEY_HEADER} must be a text of 1 to ${LONGEST_KEY} characters`)
}

/** @throws UnreadableError for a document that is not right. */
function readArgs({ body, headers }: StartRequest): unknown[] {
  const args = readValue(body.args, formOfContent(headers['content-type']) ?? 'plain')
  if (!Array.isArray(args) || args.length > MOST_ARGS) {
    throw refuse('arguments-unfit', `args must be an array of at most ${MOST_ARGS} positional arguments`, {
      fn: body.fn,
    })
  }
  return args
}

function unknown({ functions }: HttpNode, fn: string): Error {
  const detail = `there is no function "${fn}" here; those that can be called are ${[...functions].join(', ')}`
  return refuse('function-not-found', detail, { fn })
}

/** Some calls turn out to be none only on their thread. As nobody was told of it, such a call can still be as if it had never been. */
async function throwIfRefused({ runner, ledger, keys }: HttpNode, status: CallStatus): Promise<void> {
  if (!status.finished || status.ok) return
  const { error } = status
  if (error.started !== 'no' || (error.code !== 'FUNCTION_NOT_FOUND' && error.code !== 'NOT_CLONEABLE')) return
  if (status.id !== undefined) {
    ledger.delete(status.id)
    keys.free(status.id)
    await runner.forget(status.id)
  }
  throw error
}
