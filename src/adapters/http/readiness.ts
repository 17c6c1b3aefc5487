import { setImmediate } from 'node:timers/promises'
import { CallError } from '../../model/errors.ts'
import type { Runner } from '../../model/runner.ts'
import { textOf } from '../../protocol/encoded-error.ts'
import { createProblem, type ProblemJson } from '../wire/problems.ts'

const PENDING = createProblem('not-ready', 'the functions are still being loaded')

/** Whether the node can be sent calls. */
export class Readiness {
  readonly #runner: Runner
  #isAsking = false
  #problem: ProblemJson | undefined = PENDING

  constructor(runner: Runner) {
    this.#runner = runner
  }

  /** Why it cannot; undefined when it can. Answers at once, with what is known. */
  async look(): Promise<ProblemJson | undefined> {
    // One question at a time, however often it is looked while the functions are being loaded.
    if (!this.#isAsking) void this.#ask()
    // A runner that knows answers within this.
    await setImmediate()
    return this.#problem
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    try {
      await this.#runner.ready()
      this.#problem = undefined
    } catch (error) {
      this.#problem = notReady(error)
    }
    this.#isAsking = false
  }
}

function notReady(error: unknown): ProblemJson {
  const { code } = error as Partial<CallError>
  if (code === 'RUNNER_CLOSED') return createProblem('draining', 'the node is closing: it takes no more calls')
  const cause = error instanceof CallError && error.cause !== undefined ? `: ${textOf(error.cause)}` : ''
  return createProblem('spawn-failed', `${textOf(error)}${cause}`)
}
