import { findCurrentCall, followCalls, type CurrentCall } from './current-call.ts'

// Whoever imports this means to ask: from now on calls are followed across `await`.
followCalls()

/**
 * The call that this function runs for. Works in synchronous and asynchronous functions, also after an `await`.
 *
 * @throws Error when no call is running here, or when it cannot be told which.
 */
export function currentCall(): CurrentCall {
  return findCurrentCall()
}
