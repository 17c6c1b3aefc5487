import type { LogLevel } from '../protocol/messages.ts'

/** What the runner and its executors use of a pino logger. None of it throws. */
export type RunnerLogger = Record<LogLevel, (...args: unknown[]) => void> & {
  child(bindings: Record<string, unknown>): RunnerLogger
  isLevelEnabled(level: LogLevel): boolean
}
