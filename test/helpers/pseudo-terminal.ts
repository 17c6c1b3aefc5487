import { spawn, spawnSync } from 'node:child_process'
import type { TestContext } from 'node:test'

/** Why there are no pseudo-terminals here; false where there are. */
export const noTerminals =
  !String(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout).includes('util-linux') &&
  'it needs `script` of util-linux'

/** A program that runs on a terminal of 80 columns. */
export interface OnTerminal {
  /** All that the terminal was shown so far. */
  readonly screen: string
  /** Resolves when it has been shown this. */
  shows(text: string): Promise<void>
  type(text: string): void
  /** The exit status; 128 and its number for a signal. */
  readonly ended: Promise<number | null>
}

/** Starts a program on a terminal of its own. It is killed after the test. */
export function startOnTerminal(t: TestContext, command: readonly string[]): OnTerminal {
  const words = command.map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-qefc', `stty cols 80 rows 24 && exec ${words}`, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let screen = ''
  const listeners = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    for (const listener of listeners) listener()
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })

  const shows = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!screen.includes(text)) return
        listeners.delete(look)
        resolve()
      }
      listeners.add(look)
      look()
      const missing = (): void => reject(new Error(`the program has ended and never showed "${text}": ${screen}`))
      ended.then(missing, reject)
    })

  return {
    get screen() {
      return screen
    },
    shows,
    type: (text) => void child.stdin.write(text),
    ended,
  }
}
