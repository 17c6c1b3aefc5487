import { deepEqual, equal, match } from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import autocannon from 'autocannon'
import { sharedNode } from './served.ts'

// Clients that are not ours. Node's own `fetch` is the client of the other tests.

const node = sharedNode(() => ({ serve: { limits: { rate: 1_000_000 } } }))

/** Whether the machine has curl. */
function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'])
    return true
  } catch {
    return false
  }
}

test('curl calls a function, and comes back for it by its location', { skip: !hasCurl() }, async () => {
  const { url } = node().served
  const curl = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('curl', ['--silent', '--show-error', ...args])).stdout
  const body = '{"fn":"add","args":[1,2]}'
  const answer = await curl('--include', '--json', body, `${url}/v1/calls`)
  match(answer, /^HTTP\/1\.1 200 OK/)
  const location = /^location: (.*)\r$/im.exec(answer)?.[1] ?? ''
  deepEqual(JSON.parse(await curl(url + location)).value, 3)
})

test('autocannon has all of its requests answered', async () => {
  const { url } = node().served
  const result = await autocannon({
    url: `${url}/v1/calls`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"fn":"add","args":[1,2]}',
    connections: 16,
    amount: 2_000,
  })
  deepEqual([result['2xx'], result.non2xx, result.errors, result.timeouts], [2_000, 0, 0, 0])
  equal((await node().runner.stats()).waits, 0)
})
