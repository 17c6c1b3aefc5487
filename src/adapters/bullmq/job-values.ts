import { inspect } from 'node:util'
import { readValue, writeValue } from '../wire/values.ts'
import { isExactJson } from './exact-json.ts'

/**
 * How a value stands in a job: as itself where JSON can carry it, so that those who look into the queue can read it.
 * Otherwise `value` shows what it is like, and `rich` is the value.
 */
export interface JobValue {
  value: unknown
  rich?: string
}

/** Characters of a value that is only to be looked at. */
const SHOWN = 1_000

/**
 * @param name of the value, for the message.
 * @throws UnwritableError for one that cannot travel.
 */
export function writeJobValue(value: unknown, name: string): JobValue {
  // JSON leaves a property out that is undefined, which is as good.
  return value === undefined || isExactJson(value)
    ? { value }
    : { value: show(value), rich: writeValue(value, name, 'rich') }
}

/** @throws UnreadableError for what `writeJobValue` did not write. */
export function readJobValue({ value, rich }: Readonly<JobValue>): unknown {
  return rich === undefined ? value : readValue(JSON.parse(rich), 'rich')
}

/**
 * Progress as JSON text. It stands in a job by itself, and looks like a rich value only if it is one.
 *
 * @param limit bytes that it may have.
 * @throws RangeError for more; UnwritableError for what cannot travel.
 */
export function writeProgress(progress: unknown, limit: number): string {
  const { value, rich } = writeJobValue(progress, 'progress')
  const isPlain = rich === undefined && value != null && !looksRich(value)
  const written = isPlain ? value : { value, rich: rich ?? writeValue(progress, 'progress', 'rich') }
  const text = JSON.stringify(written)
  const size = Buffer.byteLength(text)
  if (size > limit) throw new RangeError(`progress has ${size} bytes as it travels, more than valueLimit (${limit})`)
  return text
}

/** What was written. What `writeProgress` did not write is somebody else's, and given as it stands. */
export function readProgress(written: unknown): unknown {
  if (!looksRich(written)) return written
  try {
    return readJobValue(written)
  } catch {
    return written
  }
}

/** The same, of its text. */
export function parseProgress(text: string): unknown {
  let written: unknown = text
  try {
    written = JSON.parse(text)
  } catch {
    // It is no JSON.
  }
  return readProgress(written)
}

function looksRich(value: unknown): value is JobValue {
  return typeof value === 'object' && value !== null && 'rich' in value && typeof value.rich === 'string'
}

function show(value: unknown): string {
  const text = inspect(value, { depth: 4, breakLength: Infinity, maxArrayLength: 20, maxStringLength: 200 })
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}
