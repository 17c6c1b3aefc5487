import { Socket } from 'node:net'
import { FrameReader } from '../protocol/frames.ts'
import { REQUESTS_FD, type ToProcess } from '../protocol/process-messages.ts'
import { FunctionHost } from './function-host.ts'
import { loadFunctions } from './load.ts'
import { ProcessChannel } from './process-channel.ts'

// The process that an isolated function runs in. It is told on a descriptor of its own what to run, and answers on
// another: standard input, output and error are the functions'.

// A polite wish to end: it reaches the function as an abort does, and only what ignores that is killed.
process.on('SIGTERM', () => {})

const requests = new Socket({ fd: REQUESTS_FD, readable: true, writable: false })

const channel = new ProcessChannel(new FrameReader(Infinity))
process.on('uncaughtExceptionMonitor', (error) => {
  try {
    channel.crashed(error)
  } catch {
    // It cannot be told. It is printed, and an error here would end the process before that.
  }
})

requests.on('data', (chunk) => channel.hear(chunk))
// The runner is gone, and nobody else is to wait for what this process has started.
const leave = (): void => {
  process.kill(-process.pid, 'SIGKILL')
}
requests.on('error', leave)
requests.on('end', leave)

let host: FunctionHost | undefined

channel.listen((message: ToProcess) => {
  if (message.type === 'load') void load(message)
  else if (message.type === 'run') {
    channel.begin(message)
    const { fn, args, abortAfter } = message
    host?.receive({ type: 'run', calls: [0, channel.generation, 0, fn, args, abortAfter], after: 0 })
  } else host?.receive({ type: 'abort', slot: 0, generation: channel.generation, reason: message.reason })
})

async function load({ functions: url, logLevel, resultLimit }: ToProcess & { type: 'load' }): Promise<void> {
  channel.resultLimit = resultLimit
  try {
    const functions = await loadFunctions(url)
    host = new FunctionHost({ channel, functions, concurrency: 1, logLevel })
    channel.ready([...functions.keys()])
  } catch (error) {
    channel.failed(error)
  }
}
