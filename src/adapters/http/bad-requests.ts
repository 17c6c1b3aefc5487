import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { rawProblem } from './answers.ts'
import { sayLast } from './last-words.ts'
import { NODE_HEADER } from '../wire/headers.ts'
import { PROBLEM_TYPE } from '../wire/media.ts'
import { createProblem, type ProblemJson } from '../wire/problems.ts'

/** Answers what was no request, or none in time. */
export class BadRequests {
  readonly #tag: string
  /** The last answer on each connection. */
  readonly #answers = new WeakMap<Socket, ServerResponse>()
  /** Those that are ending: whatever else comes on them is not looked at. */
  readonly #ending = new WeakSet<Duplex>()

  constructor(tag: string) {
    this.#tag = tag
  }

  /** Takes note of who was answered already. */
  watch(server: HttpServer): void {
    server.on('request', ({ socket }, response) => this.#answers.set(socket, response))
    server.on('checkExpectation', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#answers.set(socket, response)
      this.#answer(response, createProblem('expectation-failed', 'no expectation but 100-continue can be met'))
    })
    // With HTTP/2 there is an answer to give here, with HTTP/1.1 only a connection.
    server.on('connect', (_request: IncomingMessage, other: Duplex | Http2ServerResponse) => {
      const detail = 'the node is no proxy'
      if ('stream' in other) this.#answer(other, createProblem('invalid-request', detail))
      else this.#end(other, rawProblem('invalid-request', detail, 'Bad Request', this.#tag))
    })
  }

  refuse(error: Error & { code?: string }, socket: Socket): void {
    if (this.#ending.has(socket)) return
    const answer = this.#answers.get(socket)
    // The rest of a request that had its answer can still turn out to be wrong: nobody reads another one.
    const isAnswered = answer !== undefined && answer.headersSent && !answer.req.complete
    if (isAnswered || error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else this.#end(socket, answerTo(error, this.#tag))
  }

  #end(socket: Duplex, bytes: string): void {
    this.#ending.add(socket)
    sayLast(socket, bytes)
  }

  #answer(response: ServerResponse | Http2ServerResponse, problem: ProblemJson): void {
    response.statusCode = problem.status
    response.setHeader('content-type', PROBLEM_TYPE)
    response.setHeader('cache-control', 'no-store')
    response.setHeader(NODE_HEADER, this.#tag)
    response.end(JSON.stringify(problem))
  }
}

function answerTo({ code, message }: Error & { code?: string }, tag: string): string {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return rawProblem('request-timeout', 'the request did not arrive in time', 'Request Timeout', tag)
    case 'HPE_HEADER_OVERFLOW':
      return rawProblem('headers-too-large', 'the headers are too large', 'Request Header Fields Too Large', tag)
    default:
      return rawProblem('malformed-request', `not a request of HTTP: ${message}`, 'Bad Request', tag)
  }
}
