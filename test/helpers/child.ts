import { spawn } from 'node:child_process'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export interface ChildEnd {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** Milliseconds from the start of the process to its end. */
  took: number
}

/** A script that runs in a process of its own. */
export interface Child {
  readonly pid: number
  /** Resolves when the script has printed `text`. */
  printed(text: string): Promise<void>
  /** What stands in the pattern's first group, when the script has printed it. */
  printedMatch(pattern: RegExp): Promise<string>
  signal(signal: NodeJS.Signals): void
  /** When the process has ended, and its output has been read. */
  readonly ended: Promise<ChildEnd>
}

/** No script takes this long, in milliseconds: one that does never ends. */
const LONGEST = 30_000

export interface ScriptOptions {
  /** Environment variables beside this process's. */
  env?: Record<string, string>
  execArgv?: readonly string[]
  /** A program and its arguments that becomes Node. */
  through?: readonly string[]
}

/** Starts a script with this process's Node. It is killed after the test, or when it does not end. */
export function startScript(
  t: TestContext,
  script: URL,
  args: readonly string[] = [],
  { env = {}, execArgv = [], through = [] }: ScriptOptions = {},
): Child {
  const began = performance.now()
  const [program = '', ...rest] = [...through, process.execPath, ...execArgv, fileURLToPath(script), ...args]
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const output = { stdout: '', stderr: '' }
  const readers = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      for (const read of readers) read()
    })
  }
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  const timer = setTimeout(kill, LONGEST)
  t.after(kill)

  const ended = new Promise<ChildEnd>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => {
      clearTimeout(timer)
      resolve({ status, signal, ...output, took: performance.now() - began })
    })
  })

  const seen = <T>(what: string, look: (stdout: string) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const read = (): void => {
        const found = look(output.stdout)
        if (found === undefined) return
        readers.delete(read)
        resolve(found)
      }
      readers.add(read)
      read()
      const missing = ({ status, stderr }: ChildEnd): void =>
        reject(new Error(`the script ended with status ${status} and never printed ${what}: ${stderr}`))
      ended.then(missing, reject)
    })

  const printed = async (text: string): Promise<void> => {
    await seen(`"${text}"`, (stdout) => stdout.includes(text) || undefined)
  }
  const printedMatch = (pattern: RegExp): Promise<string> =>
    seen(String(pattern), (stdout) => pattern.exec(stdout)?.[1])

  return { pid: child.pid ?? 0, printed, printedMatch, signal: (signal) => void child.kill(signal), ended }
}
