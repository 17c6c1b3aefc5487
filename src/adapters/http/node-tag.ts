import { randomBytes } from 'node:crypto'
import type { AnyRunner } from './options.ts'

const tags = new WeakMap<AnyRunner, string>()

/**
 * Names this runner in this process: eight hex digits. A client that tries a start again tells by it whether the node that
 * may have the call already is still the same.
 */
export function nodeTagOf(runner: AnyRunner): string {
  const known = tags.get(runner)
  if (known !== undefined) return known
  const tag = randomBytes(4).toString('hex')
  tags.set(runner, tag)
  return tag
}
