import type { CallError } from '../model/errors.ts'

/** How the program ends: with an exit status, or by the signal that it was sent. */
export type Ending = number | NodeJS.Signals

export const DONE = 0
export const FAILED = 1
export const WRONG_USAGE = 2
export const NOT_FINISHED = 3
const REFUSED = 4
const NOT_REACHED = 5

/** The exit statuses, as help texts tell them. */
export const EXIT_STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  [String(DONE), 'what was asked for is done; the call gave a value; Ctrl-C ended serve or top'],
  [String(FAILED), 'the call ended without a value; or anything else failed'],
  [String(WRONG_USAGE), 'the command line is wrong'],
  [String(NOT_FINISHED), 'the call is not finished; its ID was printed'],
  [String(REFUSED), 'the node refused: no such function or call, a full queue, no permission'],
  [String(NOT_REACHED), 'the node did not answer'],
  ['130', 'ended by Ctrl-C (a signal: 128 and its number); a call that was waited for goes on'],
]

/** The exit status for what a node did not do. */
export function endingOf({ code }: CallError): Ending {
  if (code === 'NODE_UNREACHABLE') return NOT_REACHED
  // It has failed, or is no node at all.
  return code === 'PROTOCOL_ERROR' ? FAILED : REFUSED
}
