import { deepEqual, equal, match } from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { Type } from 'typebox'
import { coatcheckHttp, type HttpLimits } from '../../../src/http.ts'
import { sharedRunner } from './served.ts'

// The plugin in an app that has its own ways.

const runner = sharedRunner()

const START = { method: 'POST', url: '/jobs/calls', payload: { fn: 'add', args: [1, 2] } } as const

async function createApp(
  t: TestContext,
  prepare: (app: FastifyInstance) => unknown,
  { limits = {}, ...options }: FastifyServerOptions & { limits?: HttpLimits } = {},
): Promise<FastifyInstance> {
  const app = Fastify(options)
  t.after(() => app.close())
  await prepare(app)
  await app.register(coatcheckHttp, { prefix: '/jobs', runner: runner(), functions: ['add'], limits })
  return app
}

test('refuses callers from elsewhere without a hook, and knows this machine', async (t) => {
  const app = await createApp(t, () => undefined)
  const local = await app.inject(START)
  equal(local.statusCode, 200)
  match(String(local.headers['location']), /^\/jobs\/calls\//)
  equal((await app.inject('/elsewhere')).json().statusCode, 404, "the app's own answers are as they were")
  equal((await app.inject({ ...START, headers: { host: 'a.example' } })).statusCode, 403)
})

test('does not believe a proxy what this machine is called, even where the app believes it', async (t) => {
  const app = await createApp(t, () => undefined, { trustProxy: true })
  const headers = { host: 'attacker.example', 'x-forwarded-host': 'localhost' }
  equal((await app.inject({ ...START, headers })).statusCode, 403)
})

test('counts by its own rate, whatever the limits of the app are', async (t) => {
  const limited = { global: false, max: 1, timeWindow: 1_000, keyGenerator: () => 'all', allowList: ['local'] }
  const app = await createApp(t, (own) => own.register(rateLimit, limited), { limits: { rate: 1 } })
  const statuses: number[] = []
  for (let i = 0; i < 11; i++) statuses.push((await app.inject('/jobs/functions')).statusCode)
  deepEqual(statuses, [...Array.from({ length: 10 }, () => 200), 429])
})

test('an app can have schemas of the same names', async (t) => {
  const own = Type.Object({ seat: Type.Integer() }, { $id: 'Call' })
  const app = await createApp(t, (its) => {
    its.addSchema(own)
    its.get('/seat', { schema: { response: { 200: Type.Ref('Call#') } } }, () => ({ seat: 5 }))
  })
  deepEqual((await app.inject('/seat')).json(), { seat: 5 })
  const { components } = (await app.inject('/jobs/openapi.json')).json()
  deepEqual(Object.keys(components.schemas.Call.properties).slice(0, 3), ['id', 'fn', 'finished'])
  for (const name of ['CallError', 'CallInfo', 'CallPage', 'Problem']) equal(name in components.schemas, true, name)
})
