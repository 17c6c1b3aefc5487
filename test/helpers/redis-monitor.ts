import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

/**
 * Tells each command that a Redis of this machine is sent from now on, until the test is over.
 *
 * Not by ioredis: its monitor loses its way when commands come while it begins.
 */
export async function watchCommands(t: TestContext, port: number, tell: (words: string[]) => void): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port })
  t.after(() => socket.destroy())
  // +1606700000.123456 [0 127.0.0.1:50000] "set" "key" "value"
  createInterface({ input: socket }).on('line', (line) => {
    tell(Array.from(line.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, word = '']) => word))
  })
  socket.write('MONITOR\r\n')
  await once(socket, 'data')
}
