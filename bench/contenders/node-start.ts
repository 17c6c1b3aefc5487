// The controls of calls in processes: what a start of Node costs, and what it does to the process that asks for it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from './contender.ts'

/** Does nothing, and ends. */
const PROGRAM = [process.execPath, '-e', '0'] as const

/** About as long as a call in a process takes when one follows the other. */
const PAUSE = 30

/** This process starts a Node that does nothing, for each call. */
export function createHere(): Contender {
  const [file, ...args] = PROGRAM
  return {
    async call() {
      const [status] = await once(spawn(file, args, { stdio: 'ignore' }), 'exit')
      if (status !== 0) throw new Error(`Node ended with ${status}`)
    },
    close: async () => {},
  }
}

/** A shell does, when it is told to. */
export function createElsewhere(): Contender {
  const shell = spawn('sh', ['-c', 'while read -r _; do "$@" </dev/null; echo $?; done', 'sh', ...PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(shell.stdout)
  return {
    async call() {
      const line = once(lines, 'line')
      shell.stdin.write('\n')
      const [status] = await line
      if (status !== '0') throw new Error(`Node ended with ${status}`)
    },
    async close() {
      const exit = once(shell, 'exit')
      shell.stdin.end()
      await exit
    },
  }
}

/** Nothing is started. */
export function createNowhere(): Contender {
  return {
    call: () => sleep(PAUSE),
    close: async () => {},
  }
}
