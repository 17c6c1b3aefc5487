import { threadId } from 'node:worker_threads'
import { encodeError } from '../protocol/encoded-error.ts'
import { LaneMemory } from '../protocol/lane-memory.ts'
import { LanePort } from '../protocol/lane-port.ts'
import type { FromHost, LaneTask, ToHost } from '../protocol/messages.ts'
import { FunctionHost } from './function-host.ts'
import { loadFunctions } from './load.ts'
import { ThreadChannel } from './thread-channel.ts'

/** The Piscina task: serves one lane, until it is told to close. */
export async function serve({ memory, functions: url, concurrency, logLevel, ...task }: LaneTask): Promise<void> {
  const port = new LanePort<ToHost, FromHost>(task.port)
  try {
    const functions = await loadFunctions(url)
    const names = [...functions.keys()]
    const channel = new ThreadChannel(port, new LaneMemory(memory), names)
    const host = new FunctionHost({ channel, functions, concurrency, logLevel })
    const receive = (message: ToHost): void => {
      channel.arrive(message)
      host.turn()
    }
    // Uncaught, it ends the thread: calls that were never heard of would be waited for without an end.
    port.listen(receive, (error) => {
      throw error
    })
    port.post({ type: 'ready', threadId, functions: names })
  } catch (error) {
    port.post({ type: 'failed', error: encodeError(error) })
  }
  await port.closed
  // Piscina may end the thread now: what its functions have printed is to come out before.
  await Promise.all([written(process.stdout), written(process.stderr)])
}

async function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
