import { createHash, type Hash } from 'node:crypto'
import {
  isAnyArrayBuffer,
  isBoxedPrimitive,
  isDate,
  isMap,
  isNativeError,
  isProxy,
  isRegExp,
  isSet,
} from 'node:util/types'

/**
 * A digest of values that is the same for equal values, however they came to be: whatever the order of their properties,
 * and whether their parts are shared or copies. Different values have different ones.
 *
 * @throws TypeError for objects of the platform's, such as a Blob or a key, and for those that lead to one another on so
 *   many ways that it would take too long to follow them.
 */
export function digest(values: readonly unknown[]): string {
  return new Digester().object(values)
}

/** Times that objects may be read again: those of a cycle say something else on each way that leads to them. */
const MOST_AGAIN = 100_000

class Digester {
  readonly #done = new Map<object, string>()
  readonly #seen = new Set<object>()
  #again = 0
  /** The objects that lead to the one at hand, with their depths: cycles end there. */
  readonly #path = new Map<object, number>()

  /** The depth of the uppermost object that a cycle has led back to. */
  #highest = Infinity

  value(value: unknown): string {
    switch (typeof value) {
      case 'object':
        return value === null ? 'null' : this.object(value)
      case 'string':
        return JSON.stringify(value)
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value)
      default:
        return `${typeof value} ${String(value)}`
    }
  }

  object(object: object): string {
    const depth = this.#path.get(object)
    if (depth !== undefined) {
      this.#highest = Math.min(this.#highest, depth)
      return `up ${this.#path.size - depth}`
    }
    const known = this.#done.get(object)
    if (known !== undefined) return known
    this.#count(object)
    const own = this.#path.size
    const outer = this.#highest
    this.#highest = own
    this.#path.set(object, own)
    const hash = createHash('sha256')
    this.#describe(object, hash)
    this.#path.delete(object)
    const result = hash.digest('base64')
    // One that leads further up says something else elsewhere.
    if (this.#highest === own) this.#done.set(object, result)
    this.#highest = Math.min(outer, this.#highest)
    return result
  }

  #count(object: object): void {
    if (!this.#seen.has(object)) this.#seen.add(object)
    else if (++this.#again > MOST_AGAIN) throw new TypeError('its objects lead to one another on too many ways')
  }

  #describe(object: object, hash: Hash): void {
    if (ArrayBuffer.isView(object)) {
      const { buffer, byteOffset, byteLength } = object
      hash.update(kindOf(object)).update(new Uint8Array(buffer, byteOffset, byteLength))
    } else if (isAnyArrayBuffer(object)) hash.update(kindOf(object)).update(new Uint8Array(object))
    else if (isDate(object)) hash.update(`Date ${object.getTime()}`)
    else if (isRegExp(object)) hash.update(`RegExp ${String(object)}`)
    else if (isMap(object)) this.#list('Map', [...object].flat(), hash)
    else if (isSet(object)) this.#list('Set', [...object], hash)
    else if (isNativeError(object)) this.#list('Error', [object.name, object.message, object.cause], hash)
    else if (isBoxedPrimitive(object)) hash.update(`${kindOf(object)} ${this.value(object.valueOf())}`)
    else if (isPlain(object)) this.#properties(object, hash)
    else throw new TypeError(`${kindOf(object)} objects cannot be told apart by their properties`)
  }

  #list(kind: string, values: readonly unknown[], hash: Hash): void {
    hash.update(kind)
    for (const value of values) hash.update(`,${this.value(value)}`)
  }

  #properties(object: object, hash: Hash): void {
    hash.update(Array.isArray(object) ? `Array ${object.length}` : 'Object')
    for (const key of Object.keys(object).toSorted()) {
      hash.update(`,${JSON.stringify(key)}:${this.value((object as Record<string, unknown>)[key])}`)
    }
  }
}

function kindOf(object: object): string {
  return Object.prototype.toString.call(object).slice(8, -1)
}

/** Objects of the platform's have more to them than shows: in slots of their own, or behind symbols. */
function isPlain(object: object): boolean {
  if (isProxy(object)) return false
  return Array.isArray(object) || (kindOf(object) === 'Object' && Object.getOwnPropertySymbols(object).length === 0)
}
