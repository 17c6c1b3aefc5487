import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startScript } from '../../helpers/child.ts'
import { noRedis, RedisServer } from '../../helpers/redis-server.ts'

const ROOT = new URL('../../../', import.meta.url)

test('the two programs of the README work together', { skip: noRedis, timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-readme-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const installed = join(folder, 'node_modules', 'coatcheck')
  mkdirSync(installed, { recursive: true })
  const entries = { '.': './index.js', './bullmq': './bullmq.js' }
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ type: 'module', exports: entries }))
  for (const entry of ['index', 'bullmq']) {
    writeFileSync(join(installed, `${entry}.js`), `export * from '${new URL(`src/${entry}.ts`, ROOT).href}'`)
  }
  const readme = readFileSync(new URL('README.md', ROOT), 'utf8')
  for (const file of ['functions.js', 'machine.js', 'client.js']) {
    const code = readme.split('```js\n').find((each) => each.startsWith(`// ${file}\n`))
    assert.ok(code, `the README has a ${file}`)
    writeFileSync(join(folder, file), code.slice(0, code.indexOf('```')))
  }

  const redis = await RedisServer.start()
  t.after(() => redis.remove())
  const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` }
  const machine = startScript(t, pathToFileURL(join(folder, 'machine.js')), [], { env })
  await machine.printed('serving')
  const client = await startScript(t, pathToFileURL(join(folder, 'client.js')), [], { env }).ended
  assert.deepEqual([client.stderr, client.status], ['', 0])
  assert.match(client.stdout, /^(not done yet: [\d:.a-f]+\n)*done: 832040\n$/)
  machine.signal('SIGTERM')
  const { status, stderr } = await machine.ended
  assert.deepEqual([stderr, status], ['', 0])
})
