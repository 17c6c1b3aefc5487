import { once } from 'node:events'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface RawAnswer {
  status: number
  headers: string
  body: string
}

/** Sends bytes as they are over a connection of their own, and reads until the node ends it. */
export async function sendRaw(port: number, bytes: string | Uint8Array): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  // The node may have answered, and ended the connection, before it has read all.
  socket.on('error', () => undefined)
  socket.end(bytes)
  const text = (await buffer(socket).catch(() => Buffer.alloc(0))).toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const headers = text.slice(0, end)
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1] ?? 0), headers, body: text.slice(end + 4) }
}
