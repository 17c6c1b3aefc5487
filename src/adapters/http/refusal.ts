import { createProblem, type ProblemDetails, type ProblemJson, type ProblemKind } from '../wire/problems.ts'

/** Ends a request with a problem. */
export class Refusal extends Error {
  readonly problem: ProblemJson
  /** Seconds after which the same request may go well. */
  readonly retryAfter: number | undefined

  constructor(problem: ProblemJson, retryAfter?: number) {
    super(problem.detail)
    this.problem = problem
    this.retryAfter = retryAfter
  }

  static {
    this.prototype.name = 'Refusal'
  }
}

export function refuse(kind: ProblemKind, detail: string, details?: ProblemDetails, retryAfter?: number): Refusal {
  return new Refusal(createProblem(kind, detail, details), retryAfter)
}
