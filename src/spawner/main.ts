import { createInterface } from 'node:readline'
import { readLine, type FromSpawner, type ToSpawner } from '../protocol/spawner-messages.ts'
import { Spawner } from './spawner.ts'

// A process that starts children for the runner and sees to it that none outlives it. It does nothing else, so that
// it is never busy, and small, so that starting one takes no time: a process is copied for that, page table and all.

const [folder, mark] = process.argv.slice(2)
if (folder === undefined || mark === undefined) throw new Error('the spawner must be told its folder and its mark')

// The runner alone ends it, by going away: signals are for the children, and Ctrl-C for the runner.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
// The runner may be gone, which its standard input is to tell.
process.stdout.on('error', () => {})

const tell = (message: FromSpawner): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
const spawner = new Spawner(folder, mark, tell)
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const message = readLine<ToSpawner>(line)
  if (message) spawner.receive(message)
})
lines.on('close', () => {
  spawner.end()
  process.exit()
})
