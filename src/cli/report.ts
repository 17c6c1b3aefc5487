import { inspect } from 'node:util'
import { CallError } from '../model/errors.ts'
import type { CallStatus, Unfinished } from '../model/status.ts'
import { waitCommand } from './come-back.ts'
import { DONE, endingOf, FAILED, NOT_FINISHED, type Ending } from './endings.ts'
import { MissingError, UsageError } from './errors.ts'
import { errorJson, showValue, statusJson } from './json.ts'
import { oneLine } from './progress.ts'
import type { NodeAddress, Shell } from './shell.ts'
import { visible } from './visible.ts'

/** How a command tells what it has found out: to people, or to programs. */
export interface Report {
  readonly shell: Shell
  readonly json: boolean
  readonly address: NodeAddress
}

/** Tells how a call ended, or how to come back for it. Only a value goes to standard output. */
export function reportStatus(status: CallStatus, { shell, json, address }: Report): Ending {
  if (json) writeJson(shell, statusJson(status))
  if (!status.finished) {
    tellHowToComeBack(status, shell, address)
    return NOT_FINISHED
  }
  if (!status.ok) {
    if (!json) tellError(shell, status.error)
    return FAILED
  }
  if (!json && status.value !== undefined) writeLine(shell, showValue(status.value))
  return DONE
}

export function tellHowToComeBack({ id, state }: Unfinished, shell: Shell, address: NodeAddress): void {
  shell.stderr.write(`not finished (${state}): ${oneLine(id)}\n`)
  shell.stderr.write(`come back with: ${visible(waitCommand(shell, address, id))}\n`)
}

/** Tells what a node did not do, and why. */
export function reportRefusal(error: CallError, { shell, json }: Report): Ending {
  if (json) writeJson(shell, { error: errorJson(error) })
  else tellError(shell, error)
  return endingOf(error)
}

/** Writes what was asked for, in distinction to what is told beside it. */
export function writeLine({ stdout }: Shell, text: string): void {
  stdout.write(`${text}\n`)
}

export function writeJson(shell: Shell, document: object): void {
  writeLine(shell, JSON.stringify(document))
}

/** Tells of an error in a line, and on further lines of what the function threw and wrote. */
export function tellError({ stderr }: Shell, error: unknown): void {
  stderr.write(`coatcheck: ${inOneLine(error)}\n`)
  if (!(error instanceof CallError)) return
  if (error.stderr !== undefined && error.stderr !== '') stderr.write(`${visible(error.stderr.trimEnd())}\n`)
  // Anything but an error stands in the message already, and so does why a node does not answer.
  const isTold = !(error.cause instanceof Error) || error.code === 'NODE_UNREACHABLE'
  if (!isTold) stderr.write(`${visible(inspect(error.cause))}\n`)
}

function inOneLine(error: unknown): string {
  if (error instanceof CallError) return `${error.code}: ${oneLine(error.message)}`
  const isExpected = error instanceof UsageError || error instanceof MissingError
  if (isExpected || (error instanceof Error && 'syscall' in error)) return visible(error.message)
  // A fault of the program, which is told in full.
  return inspect(error)
}
