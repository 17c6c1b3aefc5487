import { encodeLogValue, type LogValue } from '../protocol/log-values.ts'
import type { LogLevel } from '../protocol/messages.ts'
import type { CallLogger } from './current-call.ts'

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

function ignore(): void {}

/**
 * Makes the logger of a call.
 *
 * @param least the lowest level that is sent; `silent` sends nothing.
 * @param send takes one line, of values that can travel.
 */
export function createCallLogger(
  least: LogLevel | 'silent',
  send: (level: LogLevel, args: LogValue[]) => void,
  bindings?: Record<string, unknown>,
): CallLogger {
  const from = least === 'silent' ? LEVELS.length : LEVELS.indexOf(least)
  const line = (level: LogLevel) => {
    if (LEVELS.indexOf(level) < from) return ignore
    return (...args: unknown[]) => send(level, withBindings(bindings, args).map(encodeLogValue))
  }
  return {
    trace: line('trace'),
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    fatal: line('fatal'),
    child: (more) => createCallLogger(least, send, { ...bindings, ...more }),
  }
}

function withBindings(bindings: Record<string, unknown> | undefined, args: unknown[]): unknown[] {
  if (bindings === undefined) return args
  const [first, ...rest] = args
  if (first instanceof Error) return [{ ...bindings, err: first }, ...(rest.length > 0 ? rest : [first.message])]
  if (typeof first === 'object' && first !== null) return [{ ...bindings, ...first }, ...rest]
  return [bindings, first, ...rest]
}
