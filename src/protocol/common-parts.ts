import { isMap, isProxy, isSet } from 'node:util/types'

/** Objects of one value that are looked at; one with more is taken to have parts in common with others. */
const MOST_OBJECTS = 64

/**
 * Watches over the values of one message. Structured clone keeps identity within a message: two calls that are given the
 * same object would get one copy of it between them, and see what the other does to it.
 */
export class CommonParts {
  #first: readonly unknown[] | undefined
  readonly #seen = new Set<object>()

  clear(): void {
    this.#first = undefined
    // That makes a new table, whether there was anything in the old one or not.
    if (this.#seen.size > 0) this.#seen.clear()
  }

  /** Takes in one more list of values. False when it may have parts in common with those before: it must not go along. */
  admit(values: readonly unknown[]): boolean {
    if (!values.some(isObject)) return true
    if (this.#first === undefined && this.#seen.size === 0) {
      // Alone so far: there is nothing to compare with, and mostly nothing will come.
      this.#first = values
      return true
    }
    if (this.#first !== undefined) {
      const objects = objectsIn(this.#first)
      if (!objects) return false
      for (const each of objects) this.#seen.add(each)
      this.#first = undefined
    }
    const objects = objectsIn(values)
    if (!objects || !objects.isDisjointFrom(this.#seen)) return false
    for (const each of objects) this.#seen.add(each)
    return true
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** All objects that values consist of; undefined when they are many, or cannot be looked at. */
function objectsIn(values: readonly unknown[]): Set<object> | undefined {
  const objects = new Set<object>()
  try {
    for (const value of values) if (isObject(value)) objects.add(value)
    // A set's loop comes to what is added meanwhile.
    for (const object of objects) {
      if (objects.size > MOST_OBJECTS || isProxy(object)) return undefined
      for (const part of partsOf(object)) if (isObject(part)) objects.add(part)
    }
    return objects
  } catch {
    return undefined
  }
}

/** What an object consists of, as structured clone sees it. */
export function partsOf(object: object): Iterable<unknown> {
  if (ArrayBuffer.isView(object)) return [object.buffer]
  if (isMap(object)) return [...Map.prototype.keys.call(object), ...Map.prototype.values.call(object)]
  if (isSet(object)) return Set.prototype.values.call(object)
  if (object instanceof Error) return [object.cause]
  return Object.values(object)
}
