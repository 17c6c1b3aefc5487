import type { FastifyBaseLogger } from 'fastify'
import { setImmediate } from 'node:timers/promises'
import { CallError } from '../../model/errors.ts'
import type { Runner } from '../../model/runner.ts'
import { textOf } from '../../protocol/encoded-error.ts'
import type { Form } from '../wire/media.ts'
import { createProblem, type ProblemJson } from '../wire/problems.ts'
import { writeCause } from '../wire/values.ts'

/** Why a node cannot be sent calls. */
export interface NotReady {
  /** What everybody may know. */
  readonly problem: ProblemJson
  /** What it came of, if anything: for the node's own callers, and for its log. */
  readonly error?: Error
}

const PENDING: NotReady = { problem: createProblem('not-ready', 'the functions are still being loaded') }

const CLOSING: NotReady = { problem: createProblem('draining', 'the node is closing: it takes no more calls') }

/** Whether the node can be sent calls. */
export class Readiness {
  readonly #runner: Runner
  #isAsking = false
  #state: NotReady | undefined = PENDING

  constructor(runner: Runner) {
    this.#runner = runner
  }

  /** Why it cannot; undefined when it can. Answers at once, with what is known. */
  async look(log: FastifyBaseLogger): Promise<NotReady | undefined> {
    // One question at a time, however often it is looked while the functions are being loaded.
    if (!this.#isAsking) void this.#ask(log)
    // A runner that knows answers within this.
    await setImmediate()
    return this.#state
  }

  async #ask(log: FastifyBaseLogger): Promise<void> {
    this.#isAsking = true
    const before = this.#state?.error?.message
    try {
      await this.#runner.ready()
      this.#state = undefined
    } catch (error) {
      this.#state = notReady(error)
      // Once, however often it is looked.
      if (this.#state.error && this.#state.error.message !== before) log.warn({ err: error }, 'not ready')
    }
    this.#isAsking = false
  }
}

function notReady(error: unknown): NotReady {
  if (error instanceof CallError && error.code === 'RUNNER_CLOSED') return CLOSING
  return {
    problem: createProblem('spawn-failed', 'the functions cannot be run; the log of the node says why'),
    error: error instanceof Error ? error : new Error(textOf(error)),
  }
}

/** The same for those who may know what it came of. */
export function inFull({ problem, error }: NotReady, form: Form): ProblemJson {
  if (error?.cause === undefined) return error ? { ...problem, detail: textOf(error) } : problem
  const detail = `${textOf(error)}: ${textOf(error.cause)}`
  return { ...problem, detail, cause: JSON.parse(writeCause(error.cause, form)) }
}
