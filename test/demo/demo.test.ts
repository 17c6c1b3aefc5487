import { equal, match, ok } from 'node:assert/strict'
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'

const isWindows = process.platform === 'win32'
const src = join(import.meta.dirname, '..', '..', 'src')

// A pipe in place of a terminal, and nothing in the environment that asks for colours all the same.
const { FORCE_COLOR: _, ...env } = process.env

function startDemo(folder = src): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [join(folder, 'demo', 'demo.ts')], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

suite('the demo, without a terminal', () => {
  let output: string
  let seconds: number

  before(async () => {
    const start = performance.now()
    const demo = startDemo()
    const [stdout, stderr, [status]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'exit')])
    output = stdout
    seconds = (performance.now() - start) / 1_000
    equal(stderr, '')
    equal(status, 0)
  })

  test('takes less than 20 seconds', () => {
    ok(seconds < 20, `it took ${seconds} s`)
  })

  test('shows a call that ends in time', () => {
    match(output, /1\. A call that ends in time[^]*start\('countWords'[^]*-> finished: [\d,]+ words/)
  })

  test('shows a call that does not, with its ID and its progress, and its end', () => {
    match(output, /2\. [^]*start\('compress'[^]*-> not finished; its ID is \d+:\d+:\d+\.\d+:[0-9a-f]{40}\n/)
    match(output, /wait\(id, [^]* \d+% {2}[\d,]+ files\n[^]*100% {2}[^]*-> finished after \d+ waits: [\d,]+ files/)
  })

  test('shows a call that nobody waits for, until its end is told', () => {
    match(output, /3\. Fire and forget[^]*timeout: 0[^]*"checksum" has ended[^]*-> finished:\s+[0-9a-f]{64}\n/)
  })

  test('shows a busy loop that is killed, and the next call on another thread', () => {
    const [, killed, next] =
      /4\. [^]*it keeps thread (\d+) busy[^]*step "killed"[^]*on thread (\d+)\n/.exec(output) ?? []
    ok(killed !== undefined && next !== undefined && killed !== next, output)
  })

  test('shows the rate of 10,000 small calls', () => {
    match(output, /5\. 10,000 small calls[^]*-> the first 10,000, in [\d,.]+ ms: [\d,]+ calls a second\n/)
    match(output, /stats\(\)[^]*p50 [\d.]+ [um]s, p99 [\d.]+ [um]s\n/)
  })

  test('writes no control characters', () => {
    // oxlint-disable-next-line no-control-regex
    match(output, /^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$/)
  })
})

test('the demo ends at once, and as the signal would have it, when interrupted', { skip: isWindows }, async () => {
  const demo = startDemo()
  let output = ''
  demo.stdout.on('data', (part: Buffer) => {
    output += part
    if (output.includes('its ID is') && !demo.killed) demo.kill('SIGINT')
  })
  const [, signal] = await once(demo, 'close')
  equal(signal, 'SIGINT')
  match(output, /Interrupted: [^]*\n$/)
})

test('the demo says what to do when the dependencies are not installed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-demo-'))
  after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await cp(join(src, 'demo'), join(folder, 'src', 'demo'), { recursive: true })

  const demo = startDemo(join(folder, 'src'))
  const [stderr, [status]] = await Promise.all([text(demo.stderr), once(demo, 'exit')])
  equal(status, 1)
  match(stderr, /^The dependencies are not installed\. Run `npm ci` first/)
})
