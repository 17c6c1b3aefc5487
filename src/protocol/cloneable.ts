import { isBoxedPrimitive, isDate, isMap, isNativeError, isProxy, isRegExp, isSet } from 'node:util/types'

/** What a value is to travel between. To another process go only bytes: none of the platform's own objects, no shared memory. */
export type Reach = 'threads' | 'processes'

/** Why a value cannot travel, and where inside it the trouble sits. */
export interface Uncloneable {
  /** As one would write it: `args[0].user.save`. */
  path: string
  what: string
}

/**
 * Finds the first part of `root` that structured clone would refuse.
 *
 * @param moved the parts that are transferred, which need not be cloneable.
 */
export function findUncloneable(
  root: readonly unknown[],
  name: string,
  moved: readonly unknown[] = [],
  reach: Reach = 'threads',
): Uncloneable | undefined {
  if (root.every(isPlainPrimitive)) return undefined
  try {
    return prefixed(name, visitList('', root, new Seen(moved, reach)))
  } catch {
    // What the values themselves throw is caught on the way: this is the walk that ran out of stack, as structured clone
    // would.
    return { path: name, what: 'nested too deeply' }
  }
}

/** The objects that were looked at, and before that those that are moved. */
class Seen extends Set<unknown> {
  readonly hasMoved: boolean
  readonly reach: Reach

  constructor(moved: readonly unknown[], reach: Reach) {
    super(moved)
    this.hasMoved = moved.length > 0
    this.reach = reach
  }
}

export function isCloneable(value: unknown): boolean {
  return findUncloneable([value], '') === undefined
}

function isPlainPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
}

// The path is put together on the way back from what was found, so that a search that finds nothing makes no strings.
function prefixed(step: string, found: Uncloneable | undefined): Uncloneable | undefined {
  return found && { path: step + found.path, what: found.what }
}

function visit(value: unknown, seen: Seen): Uncloneable | undefined {
  switch (typeof value) {
    case 'function':
      return { path: '', what: value.name === '' ? 'a function' : `the function ${value.name}` }
    case 'symbol':
      return { path: '', what: 'a symbol' }
    case 'object':
      if (value === null || seen.has(value)) return undefined
      seen.add(value)
      return visitObject(value, seen)
    default:
      return undefined
  }
}

function visitObject(value: object, seen: Seen): Uncloneable | undefined {
  if (isProxy(value)) return { path: '', what: 'a Proxy' }
  if (Array.isArray(value)) return visitArray(value, seen)
  if (ArrayBuffer.isView(value)) return visitBuffer(value.buffer, seen)
  if (value instanceof ArrayBuffer) return visitBuffer(value, seen)
  if (isDate(value) || isRegExp(value)) return undefined
  if (isNativeError(value)) return visitError(value, seen)
  // As they are, not as a subclass would show them.
  if (isMap(value)) {
    return (
      visitList('.keys()', [...Map.prototype.keys.call(value)], seen) ??
      visitList('.values()', [...Map.prototype.values.call(value)], seen)
    )
  }
  if (isSet(value)) return visitList('.values()', [...Set.prototype.values.call(value)], seen)
  // Instances of classes travel as plain objects; of anything else the platform alone knows whether it does.
  return kindOf(value) === 'Object' ? visitProperties(Object.keys(value), value, seen) : askPlatform(value, seen)
}

function classOf(value: object): string {
  try {
    if (value.constructor.name !== '') return value.constructor.name
  } catch {
    // It does not let itself be looked at.
  }
  return kindOf(value) ?? 'value of an unknown class'
}

function kindOf(value: object): string | undefined {
  try {
    return Object.prototype.toString.call(value).slice(8, -1)
  } catch {
    return undefined
  }
}

function visitList(step: string, values: readonly unknown[], seen: Seen): Uncloneable | undefined {
  for (let i = 0; i < values.length; i++) {
    const found = visit(values[i], seen)
    if (found) return prefixed(`${step}[${i}]`, found)
  }
  return undefined
}

/** Larger arrays are looked at for elements only, not for properties of other names. */
const LARGE = 10_000

function visitArray(array: unknown[], seen: Seen): Uncloneable | undefined {
  if (array.length <= LARGE) {
    const keys = Object.keys(array)
    // Holes, or more than elements.
    if (keys.length !== array.length || keys.at(-1) !== lastIndex(array)) return visitProperties(keys, array, seen)
  }
  for (let i = 0; i < array.length; i++) {
    let found: Uncloneable | undefined
    try {
      const value = array[i]
      if (value === undefined && !(i in array)) return visitProperties(Object.keys(array), array, seen)
      if (typeof value === 'number' || typeof value === 'string') continue
      found = visit(value, seen)
    } catch (error) {
      found = throwing(error)
    }
    if (found) return prefixed(`[${i}]`, found)
  }
  return undefined
}

function lastIndex({ length }: unknown[]): string | undefined {
  return length === 0 ? undefined : String(length - 1)
}

function visitProperties(keys: readonly string[], value: object, seen: Seen): Uncloneable | undefined {
  for (const key of keys) {
    let found: Uncloneable | undefined
    try {
      found = visit((value as Record<string, unknown>)[key], seen)
    } catch (error) {
      found = throwing(error)
    }
    if (found) return prefixed(stepTo(key, value), found)
  }
  return undefined
}

/** How one would write the way from an object to its property. */
export function stepTo(key: string, { constructor }: object): string {
  if (constructor === Array && /^\d+$/.test(key)) return `[${key}]`
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

/** A getter threw, or the stack ran out, which is for the caller to hear of. */
function throwing(error: unknown): Uncloneable {
  if (isStackOverflow(error)) throw error
  return { path: '', what: 'a getter that throws' }
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack')
}

/** An error travels with its cause, if that is no getter. */
function visitError(error: Error, seen: Seen): Uncloneable | undefined {
  const cause = Object.getOwnPropertyDescriptor(error, 'cause')
  return cause && 'value' in cause ? prefixed('.cause', visit(cause.value, seen)) : undefined
}

function visitBuffer(buffer: ArrayBufferLike, { reach }: Seen): Uncloneable | undefined {
  if (reach === 'processes' && buffer instanceof SharedArrayBuffer) return { path: '', what: 'a SharedArrayBuffer' }
  return buffer instanceof ArrayBuffer && buffer.detached
    ? { path: '', what: 'a buffer that was transferred before' }
    : undefined
}

function askPlatform(value: object, seen: Seen): Uncloneable | undefined {
  try {
    const copy: object = structuredClone(value)
    // What is still more than a plain object there is so by the platform's doing, which bytes know nothing of.
    const isPlain = Object.getPrototypeOf(copy) === Object.prototype || isBoxedPrimitive(copy)
    return seen.reach === 'threads' || isPlain ? undefined : { path: '', what: `a ${classOf(value)}` }
  } catch {
    // Because of a part, or as a whole.
    const found = visitProperties(Object.keys(value), value, seen)
    // With something moved in it, it cannot be tried without moving that.
    return (
      found ?? (seen.hasMoved && Object.keys(value).length > 0 ? undefined : { path: '', what: `a ${classOf(value)}` })
    )
  }
}
