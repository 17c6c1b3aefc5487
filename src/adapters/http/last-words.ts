import type { Duplex } from 'node:stream'

/** Milliseconds that a client has to take its last answer and to end its side, before the connection is cut. */
const LAST_WORDS = 1_000

/**
 * Sends the last bytes of a connection that HTTP is done with. Nobody else listens to its errors then, reads what still
 * comes, or would end it.
 */
export function sayLast(socket: Duplex, bytes: string): void {
  // It destroys itself then. Without a listener the process would end as well.
  socket.on('error', () => undefined)
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS)
  socket.once('close', () => clearTimeout(timer))
  socket.resume()
  socket.end(bytes)
}
