import { checkEncodedError, checkLogValues } from '../../protocol/check-encoded.ts'
import { NOT_CLONEABLE, NOT_FOUND, RETURNED, THREW, type LogLevel } from '../../protocol/messages.ts'
import type { FromProcess } from '../../protocol/process-messages.ts'

const LEVELS: ReadonlySet<unknown> = new Set<LogLevel>(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
const KINDS: ReadonlySet<unknown> = new Set([RETURNED, THREW, NOT_FOUND, NOT_CLONEABLE])

/**
 * Takes something for a message of a function's process. What that writes may be anything: a function can write on the
 * channel too.
 *
 * @throws TypeError for what is no message.
 */
export function readMessage(value: unknown): FromProcess {
  if (typeof value !== 'object' || value === null) throw wrong('a message', value)
  const fields = value as Record<string, unknown>
  const { type } = fields
  switch (type) {
    case 'ready':
      if (!isListOfTexts(fields['functions'])) throw wrong('the names of functions', fields['functions'])
      break
    case 'failed':
    case 'crashed':
      checkEncodedError(fields['error'])
      break
    case 'started':
      checkNumber(fields, 'at')
      break
    case 'progress':
      break
    case 'log':
      checkLog(fields)
      break
    case 'result':
      checkResult(fields)
      checkNumber(fields, 'endedAt')
      break
    case 'too-large':
      checkNumber(fields, 'bytes')
      checkNumber(fields, 'endedAt')
      break
    default:
      throw wrong('the type of a message', type)
  }
  return value as FromProcess
}

function checkResult({ kind, value }: Record<string, unknown>): void {
  if (!KINDS.has(kind)) throw wrong('the kind of a result', kind)
  if (kind === THREW || kind === NOT_CLONEABLE) checkEncodedError(value)
}

function checkLog({ level, args }: Record<string, unknown>): void {
  if (!LEVELS.has(level)) throw wrong('the level of a log line', level)
  checkLogValues(args)
}

function checkNumber(fields: Record<string, unknown>, name: string): void {
  if (!Number.isFinite(fields[name])) throw wrong(name, fields[name])
}

/** Not by `every`, which goes through all the holes of a list that has nothing else. */
function isListOfTexts(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  for (const each of value) if (typeof each !== 'string') return false
  return true
}

function wrong(what: string, is: unknown): TypeError {
  return new TypeError(`${what} is ${typeof is === 'string' ? JSON.stringify(is) : typeof is}`)
}
