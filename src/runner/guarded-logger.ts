import type { Logger } from 'pino'
import type { RunnerLogger } from '../executors/runner-logger.ts'
import type { LogLevel } from '../protocol/messages.ts'

const nothing = (): void => undefined

/** For a runner that was given no logger: pino takes as long to load as all of the runner's own modules do. */
const SILENT: RunnerLogger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => SILENT,
  isLevelEnabled: () => false,
}

/**
 * A logger that throws must not come between a call and its end: that is an exception nobody catches.
 *
 * @param logger undefined for none.
 */
export function guardedLogger(logger: Logger | undefined): RunnerLogger {
  if (!logger) return SILENT
  const line = (level: LogLevel) => {
    return (...args: unknown[]): void => guard(() => logger[level](...(args as [string])), undefined)
  }
  const guarded: RunnerLogger = {
    trace: line('trace'),
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    fatal: line('fatal'),
    child: (bindings) => guard(() => guardedLogger(logger.child(bindings)), guarded),
    isLevelEnabled: (level) => guard(() => logger.isLevelEnabled(level), false),
  }
  return guarded
}

function guard<T>(use: () => T, otherwise: T): T {
  try {
    return use()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
    return otherwise
  }
}
