import { randomBytes } from 'node:crypto'
import type { Runner } from '../../model/runner.ts'

const tags = new WeakMap<Runner, string>()

/**
 * Names this runner in this process: eight hex digits. A client that tries a start again tells by it whether the node that
 * may have the call already is still the same.
 */
export function nodeTagOf(runner: Runner): string {
  const known = tags.get(runner)
  if (known !== undefined) return known
  const tag = randomBytes(4).toString('hex')
  tags.set(runner, tag)
  return tag
}
