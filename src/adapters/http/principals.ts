import type { FastifyRequest } from 'fastify'
import type { TLSSocket } from 'node:tls'
import { textOf } from '../../protocol/encoded-error.ts'
import { isLoopback } from './loopback.ts'
import type { Authorize, Target } from './options.ts'
import { refuse, type Refusal } from './refusal.ts'

/** Everybody on this machine, where nobody is told apart. */
const LOCAL = 'local'

/** The names by which this machine calls itself. A page in a browser that has its own name lead here says that name. */
const LOCAL_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/** Says who sends a request: whom the calls belong to that it starts. */
export class Principals {
  readonly #authorize: Authorize | undefined
  // A certificate costs more to read than a call costs to run.
  readonly #byConnection = new WeakMap<object, string>()

  constructor(authorize: Authorize | undefined) {
    this.#authorize = authorize
  }

  /** @throws Refusal for a request that is not let in. */
  identify(request: FastifyRequest, target: Target): string | Promise<string> {
    if (this.#authorize) return this.#ask(this.#authorize, request, target)
    const { socket } = request.raw
    const connection = socketOf(request)
    let principal = this.#byConnection.get(connection)
    if (principal === undefined) {
      principal = ofConnection(socket as TLSSocket)
      this.#byConnection.set(connection, principal)
    }
    if (principal === LOCAL) checkHost(request)
    return principal
  }

  async #ask(authorize: Authorize, request: FastifyRequest, target: Target): Promise<string> {
    let principal: unknown
    try {
      principal = await authorize(request, target)
    } catch (error) {
      throw refusalOf(error)
    }
    if (typeof principal === 'string' && principal !== '') return principal
    throw refuse('forbidden', 'the node does not let this caller do that')
  }
}

/** One object for each connection, whatever the version of HTTP. */
function socketOf({ raw }: FastifyRequest): object {
  return (raw as { stream?: { session?: object } }).stream?.session ?? raw.socket
}

function ofConnection(socket: TLSSocket): string {
  if (socket.authorized) {
    const subject = Object.entries(socket.getPeerCertificate().subject ?? {})
    if (subject.length > 0) return `certificate ${JSON.stringify(subject)}`
    throw refuse('forbidden', 'the certificate of the caller has no subject')
  }
  // One that is gone has no address any more, whoever it was.
  if (!socket.destroyed && isLoopback(socket.localAddress)) return LOCAL
  throw refuse('forbidden', 'callers from elsewhere need a certificate, or the node an "authorize" hook')
}

/** By what the client itself named, whatever headers of proxies the app believes. */
function checkHost({ raw: { headers } }: FastifyRequest): void {
  const named = [headers[':authority'], headers.host].filter((host) => host !== undefined)
  if (named.length > 0 && named.every((host) => LOCAL_HOST.test(String(host)))) return
  throw refuse('forbidden', 'a node that lets everybody on its machine in is to be called by a name of that machine')
}

function refusalOf(error: unknown): Refusal | Error {
  const status = (error as { statusCode?: unknown } | null)?.statusCode
  const detail = error instanceof Error ? error.message : textOf(error)
  if (status === 401) return refuse('unauthorized', detail)
  if (status === 403) return refuse('forbidden', detail)
  return error instanceof Error ? error : new Error(`authorize threw ${detail}`)
}
