import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { systemClock, type Clock } from '../../model/clock.ts'
import { RICH_TYPE } from '../wire/media.ts'
import { tellNode } from './answers.ts'
import { collectSchemas } from './documentation.ts'
import { answerError, notFound } from './errors.ts'
import { HttpNode } from './http-node.ts'
import { resolveHttpOptions, type HttpOptions } from './options.ts'
import { addRoutes } from './routes/routes.ts'
import { compileValidator } from './validation.ts'

/**
 * A Fastify plugin that lets others call the functions of a runner:
 * `app.register(coatcheckHttp, { prefix: '/v1', runner, functions: ['resize'] })`.
 *
 * When the app closes, the waits under way are answered with how their calls stand, and the runner is left as it is. To let
 * calls end first, close the runner before the app.
 *
 * @throws TypeError or RangeError for an option that is not right, when the app gets ready.
 */
export async function coatcheckHttp(app: FastifyInstance, options: HttpOptions): Promise<void> {
  await addTo(app, options, systemClock)
}

/** The plugin, by a clock of the caller's. */
export async function addTo(app: FastifyInstance, options: HttpOptions, clock: Clock): Promise<HttpNode> {
  const resolved = resolveHttpOptions(options)
  const node = new HttpNode(resolved, clock)
  app.setValidatorCompiler(compileValidator)
  const refuse = async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerError(await node.refused(request, error), request, reply)
  app.setErrorHandler(refuse)
  app.setNotFoundHandler((request, reply) => refuse(notFound(request), request, reply))
  readBodies(app)
  app.addHook('onRoute', (route) => {
    route.bodyLimit = resolved.limits.body
  })
  await app.register(rateLimit, { global: false })
  node.prepare(app)
  app.addHook('onRequest', (_request, reply, done) => {
    tellNode(reply, node.tag)
    done()
  })
  app.addHook('preClose', (done) => {
    node.close()
    done()
  })
  await collectSchemas(app)
  addRoutes(app, node, clock)
  return node
}

/** Both forms are JSON. What a `__proto__` in plain JSON is meant to be is not guessed at. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parser = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser(['application/json', RICH_TYPE], { parseAs: 'string' }, parser)
}
