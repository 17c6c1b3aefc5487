import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { currentCall } from '../function.ts'

// The functions of the demo. Each of them runs on a worker thread.

export async function countWords(file: string): Promise<number> {
  const text = await readFile(file, 'utf8')
  return text.split(/\s+/).filter((word) => word !== '').length
}

export interface Compressed {
  files: number
  bytesBefore: number
  bytesAfter: number
  /** How much of the work is done, from 0 to 1. */
  share: number
}

/** Bytes that are compressed at a time, so that a large file does not hold up the reports of progress. */
const SLICE = 1_000_000
/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 50

/** Compresses the files of a folder, one after another, for at most `ms` milliseconds. */
export function compress(folder: string, ms: number): Compressed {
  const call = currentCall()
  const start = performance.now()
  const done: Compressed = { files: 0, bytesBefore: 0, bytesAfter: 0, share: 0 }
  let reportAt = start

  for (const slice of slicesOf(folder)) {
    const now = performance.now()
    if (call.aborted) throw new Error(`stopped after ${done.files} files`)
    if (now - start >= ms) break
    if (now >= reportAt) {
      call.progress({ ...done, share: (now - start) / ms })
      reportAt = now + REPORT_EVERY
    }
    done.bytesBefore += slice.content.length
    done.bytesAfter += gzipSync(slice.content).length
    if (slice.isLast) done.files += 1
  }

  return { ...done, share: 1 }
}

function* slicesOf(folder: string): Iterable<{ content: Buffer; isLast: boolean }> {
  for (const file of filesOf(folder)) {
    const content = readFileSync(file)
    for (let at = 0; at < content.length; at += SLICE) {
      yield { content: content.subarray(at, at + SLICE), isLast: at + SLICE >= content.length }
    }
  }
}

function* filesOf(folder: string): Iterable<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !entry.name.startsWith('.')) yield* filesOf(path)
    else if (entry.isFile()) yield path
  }
}

export async function checksum(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(file)) hash.update(part)
  return hash.digest('hex')
}

/** Never ends, and never looks whether it should. */
export function spin(): never {
  for (;;);
}

export function ownThread(): number {
  return threadId
}

export function add(a: number, b: number): number {
  return a + b
}
