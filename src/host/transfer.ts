import { isProxy } from 'node:util/types'
import type { Transferable } from 'node:worker_threads'

const KEY = Symbol.for('coatcheck.transfer')

class Transferred {
  readonly value: unknown
  readonly [KEY]: readonly Transferable[]

  constructor(value: unknown, list: readonly Transferable[]) {
    this.value = value
    this[KEY] = list
  }
}

/**
 * For a function's return value: moves the parts in `list` (ArrayBuffers and the like) to the caller instead of copying
 * them. `return transfer(pixels, [pixels.buffer])`.
 */
export function transfer<T>(value: T, list: readonly Transferable[]): T {
  // The caller of the function gets the value itself, so that is its type.
  return new Transferred(value, list) as T
}

/** Separates a return value from the list of its parts that are moved. */
export function splitTransfer(returned: unknown): { value: unknown; list: readonly Transferable[] | undefined } {
  // By key, not by class: the functions module may have found another copy of this package.
  if (typeof returned === 'object' && returned !== null && !isProxy(returned) && KEY in returned) {
    const { value, [KEY]: list } = returned as Transferred
    return { value, list }
  }
  return { value: returned, list: undefined }
}
