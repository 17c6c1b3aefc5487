import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { Server as HttpServer } from 'node:http'
import type { Socket } from 'node:net'
import { BadRequests } from './bad-requests.ts'
import { tellNode } from './answers.ts'
import { answerError, notFound } from './errors.ts'
import { endLateBodies } from './late-bodies.ts'
import type { ResolvedServeOptions, TlsOptions } from './serve-options.ts'

/** Milliseconds after which a connection that is not used is closed: longer than most proxies keep one. */
const KEEP_ALIVE = 72_000

/** Milliseconds between two looks for requests that take too long to arrive. */
const LOOKS = 2_000

/** Requests of one client that HTTP/2 lets be under way on a connection. */
const MOST_STREAMS = 1_000

/** Milliseconds in which a TLS connection has to be made. */
const HANDSHAKE = 10_000

/** Says what a request that is for none of the node's resources is refused for in the end. */
export type Refused = (request: FastifyRequest, error: unknown) => Promise<unknown>

/** A Fastify app on a server of Node's, with the limits and the answers that Node itself has to give. */
export function createServer(
  { tls, logger, limits }: ResolvedServeOptions,
  tag: string,
  refused: Refused,
): FastifyInstance {
  const refuse = async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    answerError(await refused(request, error), request, tellNode(reply, tag))
  const http = {
    maxHeaderSize: limits.headers,
    headersTimeout: Math.min(limits.headersTimeout, limits.requestTimeout),
    requestTimeout: limits.requestTimeout,
    connectionsCheckingInterval: LOOKS,
    // Node would answer without a problem; whoever has to know the host asks for it.
    requireHostHeader: false,
  }
  const badRequests = new BadRequests(tag)
  const common = {
    ...(logger && { loggerInstance: logger as FastifyBaseLogger }),
    logController: new LogController({ disableRequestLogging: true }),
    // A node that is closing says so itself.
    return503OnClosing: false,
    forceCloseConnections: 'idle' as const,
    keepAliveTimeout: KEEP_ALIVE,
    requestTimeout: limits.requestTimeout,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => void refuse(error, request, reply),
    clientErrorHandler: (error: Error & { code?: string }, socket: Socket) => badRequests.refuse(error, socket),
  }
  const app = tls ? createSecure(common, { ...http, ...tls }) : Fastify({ ...common, http })
  // What is not below the prefix.
  app.setNotFoundHandler((request, reply) => refuse(notFound(request), request, reply))
  app.setErrorHandler(refuse)
  const server = app.server as HttpServer
  badRequests.watch(server)
  if (tls) endLateBodies(server, limits.requestTimeout)
  server.maxConnections = limits.connections
  server.headersTimeout = http.headersTimeout
  server.requestTimeout = http.requestTimeout
  return app
}

function createSecure(common: object, https: TlsOptions): FastifyInstance {
  const app: unknown = Fastify({
    ...common,
    http2: true,
    https: {
      ...https,
      allowHTTP1: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE,
      settings: { maxConcurrentStreams: MOST_STREAMS },
      ...(https.ca !== undefined && { requestCert: true, rejectUnauthorized: true }),
    },
  })
  // Typed by the classes of HTTP/2, whose requests and answers are used as those of HTTP/1.1 are.
  return app as FastifyInstance
}
