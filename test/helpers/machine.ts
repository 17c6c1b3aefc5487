import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CloseOptions, RunnerOptions } from '../../src/index.ts'
import type { ConnectOptions, ServeOptions } from '../../src/bullmq.ts'
import type { Answer, Order } from '../fixtures/queue/machine.ts'

const SCRIPT = fileURLToPath(new URL('../fixtures/queue/machine.ts', import.meta.url))

/** A process that serves queues, to be killed, stopped and continued. */
export class Machine {
  readonly #process: ChildProcess
  readonly #answers = new Map<number, (answer: Answer) => void>()
  #seq = 0

  constructor() {
    this.#process = fork(SCRIPT, { serialization: 'advanced' })
    this.#process.on('message', (answer: Answer) => this.#answers.get(answer.seq)?.(answer))
    // Whoever waits for an answer of a killed machine waits in vain.
    this.#process.on('error', () => undefined)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** @param keepRunner whether the runner may be used for the next queue too, if its options are the same. */
  serve(local: RunnerOptions, serve: ServeOptions, keepRunner = false): Promise<unknown> {
    const functions = String(local.functions)
    return this.#order({ do: 'serve', local: { ...local, functions }, serve, keepRunner })
  }

  close(queue: string, options: CloseOptions = {}): Promise<unknown> {
    return this.#order({ do: 'close', queue, options })
  }

  /** Sets its clock ahead by so many milliseconds. */
  setClock(ahead: number): Promise<unknown> {
    return this.#order({ do: 'setClock', ahead })
  }

  /** Starts a call as a client, and gives its ID. */
  async start(connect: ConnectOptions, fn: string, args: unknown[]): Promise<string> {
    return (await this.#order({ do: 'start', connect, fn, args })) as string
  }

  /** How many calls run on its runners. */
  async running(): Promise<number> {
    return (await this.#order({ do: 'count' })) as number
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Ends the process as a power cut would. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }

  async #order(order: Order): Promise<unknown> {
    this.#seq += 1
    const seq = this.#seq
    const { error, value } = await new Promise<Answer>((resolve) => {
      this.#answers.set(seq, resolve)
      this.#process.send({ seq, order })
    })
    this.#answers.delete(seq)
    if (error !== undefined) throw new Error(error)
    return value
  }
}
