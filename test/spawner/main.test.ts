import { deepEqual, equal } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Signposts } from '../helpers/latch.ts'

const PROGRAM = fileURLToPath(new URL('../../src/spawner/main.ts', import.meta.url))

test('a spawner whose runner ends in the midst of a request clears up, and ends as it should', async (t) => {
  const posts = new Signposts()
  t.after(() => posts.remove())
  const folder = join(posts.folder, 'runner')
  mkdirSync(folder)
  writeFileSync(join(folder, 'left'), '')
  const child = spawn(process.execPath, [PROGRAM, folder, 'mark'], { stdio: ['pipe', 'ignore', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stdin.end('{"type":"spawn","id":1,"command":["ec')
  const [status] = (await once(child, 'close')) as [number | null]
  deepEqual([status, said], [0, ''])
  equal(existsSync(folder), false)
})
