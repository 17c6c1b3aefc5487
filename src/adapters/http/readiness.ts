import { setImmediate } from 'node:timers/promises'
import { CallError } from '../../model/errors.ts'
import type { Runner } from '../../model/runner.ts'
import { textOf } from '../../protocol/encoded-error.ts'
import type { Form } from '../wire/media.ts'
import { createProblem, type ProblemJson } from '../wire/problems.ts'
import { writeCause } from '../wire/values.ts'

const PENDING = createProblem('not-ready', 'the functions are still being loaded')

/** Whether the node can be sent calls. */
export class Readiness {
  readonly #runner: Runner
  #isAsking = false
  #problem: ProblemJson | undefined = PENDING
  /** What the problem came of, if anything. */
  #cause: unknown

  constructor(runner: Runner) {
    this.#runner = runner
  }

  /** Why it cannot; undefined when it can. Answers at once, with what is known. */
  async look(form: Form): Promise<ProblemJson | undefined> {
    // One question at a time, however often it is looked while the functions are being loaded.
    if (!this.#isAsking) void this.#ask()
    // A runner that knows answers within this.
    await setImmediate()
    if (!this.#problem || this.#cause === undefined) return this.#problem
    return { ...this.#problem, cause: JSON.parse(writeCause(this.#cause, form)) }
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    try {
      await this.#runner.ready()
      this.#problem = undefined
      this.#cause = undefined
    } catch (error) {
      this.#problem = notReady(error)
      this.#cause = (error as Error).cause
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
