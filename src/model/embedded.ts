import type { CallPage, ListOptions, Runner } from './runner.ts'

/** The name of what an embedded runner answers to the adapters of this package, beside the interface of all runners. */
export const EMBEDDED = Symbol('embedded')

export interface Embedded {
  /** As `list`, of these calls only. The others are not told, so that they are not kept for it. */
  listAmong(options: ListOptions, isListed: (id: string) => boolean): Promise<CallPage>
  /** Milliseconds for which the finished calls of a function are kept, where their `start` says nothing of it. */
  retainOf(fn: string): number
}

/** Undefined for a runner that is elsewhere, or is not ours. */
export function embeddedOf(runner: Runner): Embedded | undefined {
  return (runner as Partial<Record<typeof EMBEDDED, Embedded>>)[EMBEDDED]
}
