import type { NodeAddress, Shell } from './shell.ts'

/** The command with which one comes back for a call, as it can be pasted into a shell. */
export function waitCommand({ program }: Shell, { url, ca, cert, key }: NodeAddress, id: string): string {
  const options = Object.entries({ 'tls-ca': ca, 'tls-cert': cert, 'tls-key': key }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  )
  return [program, ...['wait', url.href, id, ...options].map(quoteWord)].join(' ')
}

/** A word as a POSIX shell reads it back. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
