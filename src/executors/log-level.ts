import type { LogLevel } from '../protocol/messages.ts'
import type { RunnerLogger } from './runner-logger.ts'

/** The lowest level whose lines are worth sending. */
export function logLevelOf(logger: RunnerLogger): LogLevel | 'silent' {
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) {
    if (logger.isLevelEnabled(level)) return level
  }
  return 'silent'
}
