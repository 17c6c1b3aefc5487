import { equal, ok } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { before, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'

type Kind = 'waits of 0 ms' | 'waits of 1 ms' | 'calls by call' | 'calls by start' | 'calls that are kept and dropped'

/** What so many of them added to the heap, and how long they took. */
interface Growth {
  bytes: number
  seconds: number
  times: number
}

type Figures = Record<Kind, Growth> & { kept: { bytes: number; count: number } }

/** Two bytes for each of the million would be more. */
const FLAT = 2 * 1_024 * 1_024

let figures: Figures

before(async () => {
  const program = join(import.meta.dirname, '..', 'fixtures', 'memory-run.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program], { timeout: 300_000 })
  figures = JSON.parse(stdout) as Figures
})

test('a million waits of 0 ms on one pending call leave nothing on the heap', (t) => {
  checkFlat(t, 'waits of 0 ms')
})

test('a million waits of 1 ms on one pending call leave nothing on the heap', (t) => {
  checkFlat(t, 'waits of 1 ms')
})

test('a million calls that finish within call leave nothing on the heap', (t) => {
  checkFlat(t, 'calls by call')
})

test('a million calls that finish within start leave nothing on the heap', (t) => {
  checkFlat(t, 'calls by start')
})

test('a finished call that is kept costs less than a kilobyte beside its value', (t) => {
  const { bytes, count } = figures.kept
  t.diagnostic(`${bytes.toFixed(0)} bytes for each of ${count} kept calls`)
  equal(count, 100_000)
  ok(bytes < 1_024)
})

test('calls that were kept and made room for others leave nothing on the heap', (t) => {
  checkFlat(t, 'calls that are kept and dropped')
})

function checkFlat(t: TestContext, kind: Kind): void {
  const { bytes, seconds, times } = figures[kind]
  t.diagnostic(`${times} ${kind}: ${(bytes / 1_024).toFixed(1)} KiB more on the heap, ${seconds.toFixed(1)} s`)
  ok(bytes < FLAT, `${bytes} bytes more`)
}
