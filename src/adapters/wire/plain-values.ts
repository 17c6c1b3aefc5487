import { stepTo } from '../../protocol/cloneable.ts'
import type { Uncloneable } from '../../protocol/cloneable.ts'

/** A value in which parts stand more than once could be written out beyond all bounds. */
const MOST_CHARACTERS = 2 ** 28

/**
 * Finds what JSON would lose of a value: silently, as it loses a Map or a NaN, or because it cannot write it at all.
 * A property that is undefined counts as one that is not there, and -0 as 0.
 *
 * @param name of the value, for the path.
 */
export function findUnplain(value: unknown, name: string): Uncloneable | undefined {
  try {
    const walk = new Walk()
    const found = walk.visit(value)
    if (found) return { path: name + found.path, what: found.what }
    return walk.size > MOST_CHARACTERS ? { path: name, what: 'too large when written out' } : undefined
  } catch (error) {
    if (error instanceof RangeError) return { path: name, what: 'nested too deeply' }
    throw error
  }
}

class Walk {
  /** About how many characters the values so far take. */
  size = 0
  /** What an object takes that was looked at; undefined while that goes on, which is how cycles show. */
  readonly #sizes = new Map<object, number | undefined>()

  visit(value: unknown): Uncloneable | undefined {
    switch (typeof value) {
      case 'string':
        this.size += value.length + 2
        return undefined
      case 'number':
        this.size += 8
        return Number.isFinite(value) ? undefined : { path: '', what: String(value) }
      case 'boolean':
        this.size += 5
        return undefined
      case 'object':
        if (value !== null) return this.#visitObject(value)
        this.size += 4
        return undefined
      case 'undefined':
        return { path: '', what: 'undefined' }
      default:
        return { path: '', what: `a ${typeof value}` }
    }
  }

  #visitObject(object: object): Uncloneable | undefined {
    if (this.#sizes.has(object)) {
      const size = this.#sizes.get(object)
      if (size === undefined) return { path: '', what: 'part of itself' }
      this.size += size
      return undefined
    }
    const before = this.size
    this.#sizes.set(object, undefined)
    const found = Array.isArray(object) ? this.#visitArray(object) : this.#visitProperties(object)
    this.#sizes.set(object, this.size - before)
    return found
  }

  #visitArray(array: unknown[]): Uncloneable | undefined {
    for (let i = 0; i < array.length; i++) {
      const found = this.visit(array[i])
      if (found) return prefixed(`[${i}]`, found)
    }
    this.size += array.length + 2
    return undefined
  }

  #visitProperties(object: object): Uncloneable | undefined {
    const kind = Object.prototype.toString.call(object).slice(8, -1)
    if (kind !== 'Object') return { path: '', what: `a ${kind}` }
    for (const [key, value] of Object.entries(object)) {
      if (value === undefined) continue
      this.size += key.length + 4
      const found = this.visit(value)
      if (found) return prefixed(stepTo(key, object), found)
    }
    this.size += 2
    return undefined
  }
}

function prefixed(step: string, { path, what }: Uncloneable): Uncloneable {
  return { path: step + path, what }
}
