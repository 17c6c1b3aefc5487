// What is sent. Times are milliseconds, written by `writeSpan`.

/** The body of `POST /v1/calls`. */
export interface StartJson {
  fn: string
  /** Positional arguments, in the form of the `Content-Type`. */
  args: unknown
  /** How long to wait, from 0. The answer says the wait that was applied. Default: 10,000. */
  timeout?: number
  abortAfter?: number
  grace?: number
  /** Left out, the function's own holds; the call is kept also when it ends inside its first wait. */
  retain?: number
  priority?: number
}

/** The body of `POST /v1/calls/{id}/cancel`. */
export interface CancelJson {
  /** In the form of the `Content-Type`. */
  reason?: unknown
  grace?: number
}
