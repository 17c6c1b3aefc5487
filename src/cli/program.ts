import type { Ending } from './endings.ts'
import { main } from './main.ts'
import { processShell } from './process-shell.ts'

/** Runs the program as this process. */
export async function runProgram(): Promise<void> {
  process.stdout.once('error', endWithoutReader)
  endProcess(await main(process.argv.slice(2), processShell))
}

/** Whoever read the output is gone, as with `coatcheck ls URL | head -1`: there is no reason to go on. */
function endWithoutReader(): void {
  // What else is written.
  process.stdout.on('error', () => undefined)
  // A command that ends in order does so.
  if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM')
  else process.exit()
}

/** Ends this process when nothing keeps it alive any more; or by the signal, so that whoever sent it sees that. */
function endProcess(ending: Ending): void {
  if (typeof ending === 'number') process.exitCode = ending
  else process.kill(process.pid, ending)
}
