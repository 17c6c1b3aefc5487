/**
 * Whether JSON carries a value without any loss, so that it can be written for people to read: no undefined, NaN or -0,
 * nothing that stands at two places, and no objects but arrays and plain ones.
 *
 * @param value one that can travel, made by structured clone or like such a one.
 */
export function isExactJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isExactPrimitive(value)
  return visit(value, new Set(), 0)
}

/** Deeper ones are written in the other form. */
const DEPTH = 200

function isExactPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    default:
      return value === null
  }
}

function visit(object: object, seen: Set<object>, depth: number): boolean {
  if (depth > DEPTH || seen.has(object)) return false
  seen.add(object)
  const parts = Array.isArray(object) ? partsOfArray(object) : partsOfObject(object)
  if (!parts) return false
  for (const part of parts) {
    const isExact = typeof part === 'object' && part !== null ? visit(part, seen, depth + 1) : isExactPrimitive(part)
    if (!isExact) return false
  }
  return true
}

/** Undefined for an array with holes or with properties beside its elements. */
function partsOfArray(array: unknown[]): unknown[] | undefined {
  const isPlain = Object.getPrototypeOf(array) === Array.prototype && Object.keys(array).length === array.length
  return isPlain ? array : undefined
}

function partsOfObject(object: object): unknown[] | undefined {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === Object.prototype || prototype === null ? Object.values(object) : undefined
}
