// Checked by `npm run types`, never run: the options of `createRunner`.

import { pino } from 'pino'
import { createRunner, type RunnerOptions } from '../../src/index.ts'

const functions = new URL('functions.ts', import.meta.url)

export function right(): void {
  createRunner({ functions })
  createRunner({ functions: '/functions.ts' })
  createRunner({
    functions,
    define: {
      add: { isolation: 'thread', abortAfter: 5, grace: 5, retain: 5, priority: 5 },
      other: {},
      isolated: {
        isolation: 'process',
        memory: 5,
        cpuTime: 5,
        openFiles: 5,
        fileSize: 5,
        uid: 5,
        gid: 5,
        cwd: '/',
        env: { NAME: 'value' },
        execArgv: [],
        permissions: { read: ['/data/*'], net: true },
        reuse: 5,
        resultLimit: 5,
      },
    },
    threads: {
      min: 0,
      max: 4,
      concurrency: 8,
      idleTimeout: 5,
      resourceLimits: { maxOldGenerationSizeMb: 64 },
      env: { NAME: 'value' },
      execArgv: ['--no-warnings'],
    },
    isolation: 'thread',
    processes: { max: 8, spares: 2, startTimeout: 5, resultLimit: 5 },
    commands: { list: { command: ['ls', '-l'], cwd: '/', input: 'none', output: 'text', abortAfter: 5, memory: 5 } },
    queueLimit: 5,
    retain: Infinity,
    retainLimit: 5,
    grace: 5,
    logger: pino(),
    handleSignals: true,
  })
}

export function wrong(): void {
  // @ts-expect-error functions is missing
  createRunner({})
  // @ts-expect-error options are needed
  createRunner()
  // @ts-expect-error functions is a path, not a module
  createRunner({ functions: { add: (a: number) => a } })
  // @ts-expect-error no such option
  createRunner({ functions, thread: {} })
  // @ts-expect-error a command is a program and its arguments
  createRunner({ functions, commands: { list: { command: [] } } })
  // @ts-expect-error a command line is no list
  createRunner({ functions, commands: { list: { command: 'ls -l' } } })
  // @ts-expect-error no such option of processes
  createRunner({ functions, processes: { min: 8 } })
  // @ts-expect-error no such option of threads
  createRunner({ functions, threads: { maximum: 4 } })
  // @ts-expect-error a number of threads
  createRunner({ functions, threads: { max: '4' } })
  // @ts-expect-error no such option of a function
  createRunner({ functions, define: { add: { timeout: 5 } } })
  // @ts-expect-error no such isolation
  createRunner({ functions, define: { add: { isolation: 'vm' } } })
  // @ts-expect-error a span of time is a number
  createRunner({ functions, retain: '10m' })
  // @ts-expect-error console is not a pino logger
  createRunner({ functions, logger: console })
  // @ts-expect-error true or false
  createRunner({ functions, handleSignals: 'SIGTERM' })
  // @ts-expect-error left out, not undefined
  createRunner({ functions, grace: undefined })
}

export function named(): RunnerOptions {
  return { functions, queueLimit: 5 }
}
