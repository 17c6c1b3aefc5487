/**
 * Sees to it that options were given for functions that there are.
 *
 * @throws TypeError that names those that there are not.
 */
export function checkExpected(expected: readonly string[], functions: readonly string[]): void {
  const missing = expected.filter((name) => !functions.includes(name))
  if (missing.length === 0) return
  const names = missing.join(', ')
  throw new TypeError(
    `option "define" has ${names}, which the functions module does not export; it exports ${functions.join(', ')}`,
  )
}
