import { findUncloneable, type Uncloneable } from '../../protocol/cloneable.ts'
import { textOf } from '../../protocol/encoded-error.ts'
import { RICH_TYPE, type Form } from './media.ts'
import { plainCause } from './plain-causes.ts'
import { findUnplain } from './plain-values.ts'
import { readRich, writeRich, writeThrown } from './rich-values.ts'

/** A value that cannot travel in the form that was asked for; the message names it, and what would be right. */
export class UnwritableError extends Error {
  readonly form: Form

  constructor({ path, what }: Uncloneable, form: Form) {
    const hint =
      form === 'plain' ? `which JSON cannot carry: ask for ${RICH_TYPE}` : 'which cannot travel between hosts'
    super(`${path} is ${what}, ${hint}`)
    this.form = form
  }

  static {
    this.prototype.name = 'UnwritableError'
  }
}

/** A document that is not what it has to be. */
export class UnreadableError extends Error {
  static {
    this.prototype.name = 'UnreadableError'
  }
}

/**
 * Writes down a value that came out of a runner, as JSON text.
 *
 * @param name of the value, for the message.
 * @throws UnwritableError for one that cannot travel in this form.
 */
export function writeValue(value: unknown, name: string, form: Form): string {
  if (form === 'plain') {
    const unplain = findUnplain(value, name)
    if (unplain) throw new UnwritableError(unplain, form)
    return JSON.stringify(value)
  }
  try {
    return writeRich(value)
  } catch {
    const found = findUncloneable([value], name, [], 'processes')
    throw new UnwritableError(
      found ? { ...found, path: found.path.replace(`${name}[0]`, name) } : { path: name, what: 'nested too deeply' },
      form,
    )
  }
}

/**
 * Writes down arguments as a caller hands them in, as JSON text in the rich form. They are copied as by structured
 * clone, so that what happens to them afterwards changes nothing.
 *
 * @throws UnwritableError for those that cannot travel.
 */
export function writeArgs(args: readonly unknown[]): string {
  const uncloneable = findUncloneable(args, 'args', [], 'processes')
  if (uncloneable) throw new UnwritableError(uncloneable, 'rich')
  return writeValue(structuredClone(args), 'args', 'rich')
}

/** @throws UnreadableError for what `writeValue` did not write. */
export function readValue(json: unknown, form: Form): unknown {
  if (form === 'plain') return json
  try {
    return readRich(json)
  } catch (error) {
    throw new UnreadableError(`not a value in the form of ${RICH_TYPE}: ${textOf(error)}`, { cause: error })
  }
}

/** Writes down the cause of an error, as JSON text. Never throws: what cannot travel is told as text. */
export function writeCause(thrown: unknown, form: Form): string {
  try {
    return form === 'rich' ? writeThrown(thrown) : JSON.stringify(plainCause(thrown))
  } catch {
    return form === 'rich' ? writeRich(textOf(thrown)) : JSON.stringify(textOf(thrown))
  }
}
