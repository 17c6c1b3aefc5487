import { equal, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from '../../../src/http.ts'
import { createRunner } from '../../../src/index.ts'
import { CALLS } from '../../suites/place.ts'

test('a node is below the path that it is given, and nowhere else', async (t) => {
  const runner = createRunner({ functions: CALLS })
  const node = await serve(runner, { port: 0, functions: ['add'], prefix: '/jobs/v1' })
  t.after(() => node.close())
  equal((await fetch(`${node.url}/jobs/v1/health`)).status, 200)
  equal((await fetch(`${node.url}/v1/health`)).status, 404)
})

test('a prefix that is no path is refused', async (t) => {
  const runner = createRunner({ functions: CALLS })
  t.after(() => runner.close())
  for (const prefix of ['', '/', 'v1', '/v1/', '//v1', '/v 1', '/:id', 1]) {
    const options = { port: 0, functions: ['add'], prefix: prefix as string }
    await rejects(serve(runner, options), { name: 'TypeError', message: /^prefix must be / })
  }
})
