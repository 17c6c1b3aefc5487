import Fastify from 'fastify'
import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type * as coatcheck from '../../src/index.ts'
import type * as http from '../../src/http.ts'
import type * as functions from '../functions/functions.js'
import { FUNCTIONS, type Contender, type ContenderOptions } from './contender.ts'

/** A node as it is served, with a limit of requests that no load reaches. */
export async function createNode({ workers }: ContenderOptions): Promise<Contender> {
  // The package as it is built: what users run.
  const { createRunner } = (await import(new URL('../../dist/index.js', import.meta.url).href)) as typeof coatcheck
  const { serve } = (await import(new URL('../../dist/http.js', import.meta.url).href)) as typeof http
  const runner = createRunner<typeof functions>({ functions: FUNCTIONS, threads: { min: workers, max: workers } })
  await runner.ready()
  const served = await serve(runner, { functions: ['noop', 'timer'], port: 0, limits: { rate: 1_000_000 } })
  const url = `${served.url}/v1/calls`
  return {
    call: (fn, argument) => post(url, { fn, args: argument === undefined ? [] : [argument] }),
    http: {
      url,
      body: JSON.stringify({ fn: 'noop', args: [] }),
      onFinished: (listener) => void runner.on('finished', listener),
    },
    close() {
      agent.destroy()
      return served.close()
    },
  }
}

/** The floor: a route of Fastify's that gives back the JSON that it got, without any options. */
export async function createBare(): Promise<Contender> {
  const app = Fastify({ forceCloseConnections: true })
  app.post('/echo', async ({ body }) => body)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/echo`
  return {
    call: (fn, argument) => post(url, { fn, args: [argument] }),
    http: { url, body: JSON.stringify({ fn: 'noop', args: [] }), onFinished: () => {} },
    close() {
      agent.destroy()
      return app.close()
    },
  }
}

const agent = new Agent({ keepAlive: true })

async function post(url: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const sent = request(url, { method: 'POST', agent, headers }).end(JSON.stringify(body))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return json(response)
}
