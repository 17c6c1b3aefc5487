import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { NODE_HEADER } from '../../../src/adapters/wire/headers.ts'
import { createProblem, type ProblemKind } from '../../../src/adapters/wire/problems.ts'

/** A request that a fake node has had, and that the test answers. */
export interface Asked {
  /** Method and path, without the prefix and the query. */
  what: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: string
  response: ServerResponse
}

export interface FakeNode {
  url: string
  /** Every request that was had, but those for the node's health. */
  asked: Asked[]
  /** How often its health was asked for. */
  looks: number
  tag: string
}

export type Answering = (asked: Asked, node: FakeNode) => void

/** A node that says whatever a test wants it to. */
export async function fakeNode(t: TestContext, answer: Answering): Promise<FakeNode> {
  const server = createServer((request, response) => void respond(request, response))
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://node')
    response.setHeader(NODE_HEADER, node.tag)
    if (url.pathname === '/v1/health') {
      node.looks += 1
      response.end('{"status":"ok"}')
      return
    }
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    const what = `${request.method} ${decodeURIComponent(url.pathname.slice('/v1'.length))}`
    const asked = { what, query: url.searchParams, headers: request.headers, body, response }
    node.asked.push(asked)
    answer(asked, node)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const node: FakeNode = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    looks: 0,
    tag: '00000001',
  }
  return node
}

/** The URL of what takes connections and says nothing. */
export async function silentNode(t: TestContext): Promise<string> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export function send({ response }: Asked, status: number, json: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end(JSON.stringify(json))
}

export function sendProblem(asked: Asked, kind: ProblemKind, headers: Record<string, string> = {}): void {
  const problem = createProblem(kind, `the fake node says ${kind}`)
  send(asked, problem.status, problem, headers)
}

export const UNFINISHED = { id: '1:1:1.1:call', fn: 'add', finished: false, state: 'running' } as const
/** The value 3. */
export const FINISHED = { id: UNFINISHED.id, fn: 'add', finished: true, ok: true, value: [3] } as const
