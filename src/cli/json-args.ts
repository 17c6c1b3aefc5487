import { text as readAll } from 'node:stream/consumers'
import type { Value } from './command.ts'
import type { Shell } from './shell.ts'
import { UsageError } from './errors.ts'
import { quote } from './values.ts'

/** What was written for a call's arguments: themselves, or that they stand on standard input. */
export type WrittenArgs = { from: 'command line'; args: unknown[] } | { from: 'standard input' }

export const JSON_ARGS: Value<WrittenArgs> = {
  name: 'ARGS',
  help: `the arguments, as a JSON array such as '[1, "two"]'; - reads it from standard input. Default: []`,
  read: (written) =>
    written === '-' ? { from: 'standard input' } : { from: 'command line', args: parseArray(written) },
}

export async function argsOf(written: WrittenArgs | undefined, { stdin }: Shell): Promise<unknown[]> {
  if (written === undefined) return []
  if (written.from === 'command line') return written.args
  try {
    return parseArray(await readAll(stdin))
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`standard input ${error.message}`) : error
  }
}

function parseArray(written: string): unknown[] {
  let value: unknown
  try {
    value = JSON.parse(written)
  } catch {
    // What would be right says more than where the parser stopped.
  }
  if (Array.isArray(value)) return value
  throw new UsageError(`must be a JSON array of arguments, such as '[1, "two"]'; got ${quote(written)}`)
}
