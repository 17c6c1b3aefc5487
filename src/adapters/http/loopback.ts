import { isIPv4 } from 'node:net'

/** Whether only this machine reaches an address. A socket that has none is one of this machine. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined || address === '::1' || address.toLowerCase() === 'localhost') return true
  const plain = address.toLowerCase().startsWith('::ffff:') ? address.slice(7) : address
  return isIPv4(plain) && plain.startsWith('127.')
}
