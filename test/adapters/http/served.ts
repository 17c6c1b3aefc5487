import type { TestContext } from 'node:test'
import { after, before } from 'node:test'
import { serve, type Served, type ServeOptions } from '../../../src/http.ts'
import { createRunner, type Runner, type RunnerOptions } from '../../../src/index.ts'
import { Signposts } from '../../helpers/latch.ts'
import { CALLS, type Calls } from '../../suites/place.ts'

/** What a client is answered. */
export interface Answer {
  status: number
  headers: Headers
  text: string
  /** What the text says, where it is JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any
  json: Record<string, any>
}

export interface Sending {
  method?: string
  headers?: Record<string, string>
  body?: unknown
}

/** A node with a client of it. */
export interface Node {
  readonly runner: Runner<Calls>
  readonly served: Served
  readonly posts: Signposts
  /** Sends a request, its body as JSON, to a path below `/v1`. */
  send(path: string, sending?: Sending): Promise<Answer>
  /** Starts a call. */
  start(fn: string, args: unknown[], options?: object, headers?: Record<string, string>): Promise<Answer>
}

export interface NodeOptions {
  runner?: Partial<RunnerOptions<Calls>>
  /** A runner that goes on when the node ends, in place of one of its own. */
  lent?: Runner<Calls>
  serve?: Partial<ServeOptions<Calls>>
}

export const ALL = [
  'add',
  'echo',
  'hold',
  'leave',
  'report',
  'reportEach',
  'fail',
  'kinds',
  'holdThenLeave',
  'returnWhenAborted',
  'reasonWhenAborted',
  'throwValue',
] as const

/** A node of the test's own. */
export async function startNode(t: TestContext, options: NodeOptions = {}): Promise<Node> {
  const node = await create(options)
  t.after(() => tearDown(node))
  return node
}

/** A node for all tests of a file that leave nothing behind. */
export function sharedNode(options: () => NodeOptions | Promise<NodeOptions> = () => ({})): () => Node {
  let node: Node | undefined
  before(async () => {
    node = await create(await options())
  })
  after(() => node && tearDown(node))
  return () => {
    if (!node) throw new Error('asked for before the tests began')
    return node
  }
}

/** A runner for all nodes of a file. */
export function sharedRunner(): () => Runner<Calls> {
  let runner: Runner<Calls> | undefined
  before(() => {
    runner = createRunner<Calls>({ functions: CALLS, threads: { max: 2 } })
  })
  after(() => runner?.close({ abort: true, grace: 0 }))
  return () => {
    if (!runner) throw new Error('asked for before the tests began')
    return runner
  }
}

/** The same runner, with some methods of the test's own. */
export function withMethods(runner: Runner<Calls>, methods: Partial<Runner<Calls>>): Runner<Calls> {
  return new Proxy(runner, {
    get(target, key) {
      if (key in methods) return Reflect.get(methods, key)
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function create({ runner: runnerOptions, serve: serveOptions, lent }: NodeOptions): Promise<Node> {
  const runner = lent
    ? withMethods(lent, { close: () => Promise.resolve() })
    : createRunner<Calls>({ functions: CALLS, threads: { max: 2 }, ...runnerOptions })
  const served = await serve(runner, { port: 0, functions: ALL, ...serveOptions })
  const send = (path: string, sending?: Sending): Promise<Answer> => sendTo(`${served.url}/v1${path}`, sending)
  return {
    runner,
    served,
    posts: new Signposts(),
    send,
    start: (fn, args, options, headers = {}) =>
      send('/calls', { method: 'POST', body: { fn, args, ...options }, headers }),
  }
}

async function tearDown({ served, posts }: Node): Promise<void> {
  await served.close({ abort: true, grace: 0 })
  posts.remove()
}

export async function sendTo(url: string, { method = 'GET', headers = {}, body }: Sending = {}): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : {} }
}

/** The path of a call below `/v1`. */
export function pathOf(id: string): string {
  return `/calls/${encodeURIComponent(id)}`
}
