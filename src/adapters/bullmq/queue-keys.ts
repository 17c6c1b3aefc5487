import type { ResolvedAddress } from './options.ts'

/** What all keys of a queue begin with, as BullMQ has it. */
export function baseOf({ prefix, queue }: ResolvedAddress): string {
  return `${prefix}:${queue}:`
}

/** A key of ours beside those of BullMQ. */
export function ownKey(base: string, name: string): string {
  return `${base}coatcheck:${name}`
}
