/** Compiles when the two types are the same one, with neither being `any`. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles for `true` only. */
export function holds<T extends true>(..._proof: T[]): void {}
