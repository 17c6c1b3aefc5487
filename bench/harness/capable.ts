/** What only some contenders have, of one that has to. */
export function capable<T>(capability: T | undefined, name: string): T {
  if (capability === undefined) throw new Error(`this contender has no ${name}`)
  return capability
}
