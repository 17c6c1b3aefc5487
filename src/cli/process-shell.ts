import type { Shell } from './shell.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** What is around this process. */
export const processShell: Shell = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  program: process.env['npm_command'] === 'exec' ? 'npx coatcheck' : 'coatcheck',

  onSignal(listener) {
    for (const signal of SIGNALS) process.on(signal, listener)
    return () => {
      for (const signal of SIGNALS) process.off(signal, listener)
    }
  },

  async connect(address) {
    const { connectTo } = await import('./connect.ts')
    return connectTo(address, process.env)
  },
}
