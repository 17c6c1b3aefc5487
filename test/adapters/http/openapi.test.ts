import { deepEqual, equal, ok } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Validator } from '@seriousme/openapi-schema-validator'
import { generate } from 'openapi-typescript-codegen'
import { sharedNode } from './served.ts'

const node = sharedNode()

const TSC = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))

test('the document is right by a public validator, and tells all resources', async () => {
  const { json, status } = await node().send('/openapi.json')
  equal(status, 200)
  const result = await new Validator().validate(json)
  ok(result.valid, JSON.stringify(result.errors))
  equal(json['openapi'], '3.1.0')
  deepEqual(Object.keys(json['paths']).toSorted(), [
    '/v1/calls',
    '/v1/calls/{id}',
    '/v1/calls/{id}/cancel',
    '/v1/calls/{id}/events',
    '/v1/events',
    '/v1/functions',
    '/v1/health',
    '/v1/ready',
    '/v1/stats',
  ])
})

test('the document tells both media types of what is sent with values', async () => {
  const { json } = await node().send('/openapi.json')
  for (const path of ['/v1/calls', '/v1/calls/{id}/cancel']) {
    const { content } = json['paths'][path].post.requestBody
    deepEqual(Object.keys(content), ['application/json', 'application/vnd.coatcheck+json'], path)
  }
})

/** What a public generator makes of the document. */
interface Generated {
  OpenAPI: { BASE: string }
  DefaultService: {
    startCall(body: object): Promise<{ id: string; value: unknown }>
    waitForCall(id: string, timeout?: number): Promise<{ value: unknown }>
  }
}

test('a client that a public generator makes of it calls a function, and comes back for it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-generated-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { json } = await node().send('/openapi.json')
  await generate({ input: json, output: folder, useUnionTypes: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }')
  const options = { cwd: folder }
  await promisify(execFile)(
    process.execPath,
    [TSC, '--noCheck', '--ignoreConfig', '--module', 'nodenext', join(folder, 'index.ts')],
    options,
  )
  const { OpenAPI, DefaultService } = createRequire(import.meta.url)(folder) as Generated
  OpenAPI.BASE = node().served.url
  const { id, value } = await DefaultService.startCall({ fn: 'add', args: [1, 2] })
  equal(value, 3)
  equal((await DefaultService.waitForCall(id)).value, 3)
})
